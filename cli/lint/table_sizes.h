// How large tables are, from a file: one table a line, its name as SQL has it, its rows, and
// perhaps its bytes with indexes, parted by tabs or commas. What pg_class does not know (-1) is
// left out. Pure.
//
//   psql -XAt -F ',' -c "SELECT oid::regclass, reltuples::bigint, pg_total_relation_size(oid)
//                        FROM pg_class WHERE relkind IN ('r', 'p', 'm')" >sizes.csv
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/identifier.h"

namespace pgalter::cli {

struct TableSize {
  sql::QualifiedName table;
  std::int64_t rows = 0;
  std::optional<std::int64_t> bytes;
};

// Throws Rejected (usage), with the line. `file` names it in the message.
std::vector<TableSize> ParseTableSizes(const std::string& file, std::string_view text);

}  // namespace pgalter::cli
