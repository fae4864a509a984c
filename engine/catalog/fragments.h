// Pieces of SQL that the server renders, read with its own grammar. Private to engine/catalog.
//
// What the grammar at hand does not know (a newer server's) comes back empty: then that piece is
// not known, and nothing else is lost.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "planner/sql/ast/statement.h"

namespace pgalter::live {

// "character varying(20)[]", as format_type() has it. Each text is read once.
class TypeReader {
 public:
  const sql::ast::TypeName& Read(const std::string& text);

 private:
  std::unordered_map<std::string, sql::ast::TypeName> read_;
};

// "CHECK ((a > 0)) NOT VALID"
[[nodiscard]] std::optional<sql::ast::Constraint> ReadCheck(const std::string& text);
// "RANGE (at)"
[[nodiscard]] std::optional<sql::ast::PartitionBy> ReadPartitionKey(const std::string& text);
// "FOR VALUES IN (1)", "DEFAULT"
[[nodiscard]] std::optional<sql::ast::PartitionBound> ReadBound(const std::string& text);
[[nodiscard]] std::optional<sql::ast::CreateIndex> ReadIndex(const std::string& text);
// The columns that WHEN (…) mentions.
[[nodiscard]] std::vector<std::string> ReadTriggerColumns(const std::string& text);
// The columns that an expression mentions.
[[nodiscard]] std::vector<std::string> ReadColumns(const std::string& expression);

}  // namespace pgalter::live
