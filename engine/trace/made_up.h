// Made-up values: SQL expressions that give a value of a type for row number "~g", and the INSERT
// that fills a table with rows that its CHECKs, keys and partition bounds let in. Pure text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgalter::trace {

// One that an INSERT has to give a value for.
struct MadeColumn {
  std::string name;
  std::string type;   // as SQL, with its modifier: "numeric(10,2)", "app.mood"
  std::string base;   // without modifier, domains and arrays resolved: "numeric"
  int modifier = -1;  // as in pg_attribute.atttypmod, or the domain's
  char kind = 'b';    // as in pg_type.typtype, domains resolved: b, e, c, r, m
  bool array = false;
  bool nullable = true;
  std::optional<std::string> from_parent;  // an expression instead: a referenced row's value
};

struct MadeTable {
  std::string name;  // as SQL
  std::vector<MadeColumn> columns;
  std::vector<std::string> conditions;  // what a row must satisfy, as the server writes it
  std::string joins;                    // of referenced rows, to "~g"
};

// An expression over "~g"; nullopt: no value is known for the type.
std::optional<std::string> MadeValue(const MadeColumn& column);

// Numbers and strings in an expression, without those that only name a type.
struct Literals {
  std::vector<std::string> numbers;
  std::vector<std::string> strings;  // without their quotes
};
Literals LiteralsIn(std::string_view expression);

// Whether the expression mentions the column.
bool Mentions(std::string_view expression, const std::string& column);

// Columns without a value get NULL where they may; `unfilled` has those that may not, and then
// there is no statement.
struct MadeInsert {
  std::string sql;
  std::vector<std::string> unfilled;
};
MadeInsert InsertInto(const MadeTable& table, std::int64_t rows);

}  // namespace pgalter::trace
