#pragma once

// The parts of a column's definition as the user wrote them: what ast::ColumnDefinition says, as
// text that can stand in another statement.

#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/result.h"

namespace pgalter::sql {

struct ColumnText {
  std::string definition;  // name, type, storage, collation
  // In the order of ColumnDefinition::constraints, each with its name and its DEFERRABLE.
  std::vector<std::string> constraints;
};

// `command`: "ADD COLUMN c int DEFAULT 1", as it stands in an ALTER TABLE.
[[nodiscard]] Result<ColumnText> CutAddColumn(std::string_view command);

}  // namespace pgalter::sql
