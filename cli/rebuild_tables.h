// Which --alter and --map belong to which table of `rebuild TABLE…`. Pure.
#pragma once

#include <string>
#include <vector>

namespace pgalter::cli {

struct TableWish {
  std::string table;  // as it was given
  std::string alter;  // empty: none
  std::vector<std::string> maps;
};

// With several tables each --alter and --map begins with the table that it is for and a colon
// ('orders: ALTER id TYPE bigint'), written as the operand is; with one it may. Throws Rejected for
// what belongs to none of them, and for a second --alter of a table.
std::vector<TableWish> ReadTableWishes(const std::vector<std::string>& tables,
                                       const std::vector<std::string>& alters,
                                       const std::vector<std::string>& maps);

}  // namespace pgalter::cli
