#pragma once

// Moves a definition into another schema. Works on the text: only the names of what is made
// change, the rest stays as written.

#include <string>
#include <string_view>

#include "planner/sql/result.h"

namespace pgalter::sql {

// Of a CREATE TABLE the table and the one that it is a partition of, of a CREATE INDEX and an ALTER
// TABLE the table that it is on: each gets `schema` (not quoted) in front, instead of the one that
// it has. What a definition only uses (the table behind LIKE or REFERENCES, types, functions) is
// left alone. Anything else than these three statements is refused.
[[nodiscard]] Result<std::string> MoveDefinition(std::string_view statement,
                                                 std::string_view schema);

}  // namespace pgalter::sql
