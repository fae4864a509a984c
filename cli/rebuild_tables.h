// Which --alter, --map and the like belong to which table of `rebuild TABLE…`. Pure.
#pragma once

#include <string>
#include <vector>

namespace pgalter::cli {

struct TableWish {
  std::string table;  // as it was given
  std::string alter;  // empty: none
  std::vector<std::string> maps;
  std::string order_by;       // empty: as the rows lie
  std::string tablespace;     // empty: where it is
  std::string access_method;  // empty: as it is
};

// As the options were given, any number of times each.
struct TableOptions {
  std::vector<std::string> alters;
  std::vector<std::string> maps;
  std::vector<std::string> orders;
  std::vector<std::string> tablespaces;
  std::vector<std::string> access_methods;
  bool has_definition = false;  // of some of the tables
};

// With several tables each --alter, --map and --order-by begins with the table that it is for and a
// colon ('orders: ALTER id TYPE bigint'), written as the operand is; with one it may. So may
// --tablespace and --access-method; one without a table is for all that have none of their own, and
// with a definition, which says it, there is none.
// Throws Rejected for what belongs to none of them, and for what a table is told twice.
std::vector<TableWish> ReadTableWishes(const std::vector<std::string>& tables,
                                       const TableOptions& options);

}  // namespace pgalter::cli
