#pragma once

// The SET part of an UPDATE, as a user writes it: "a = b + 1, \"Odd Name\" = lower(c)".

#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/result.h"

namespace pgalter::sql {

struct Assignment {
  std::string column;  // the name itself, without quotes
  std::string
      expression;  // the user's own text of it; may be put between brackets into any statement
};

// Refuses what is not a plain list of `column = expression`: (a, b) = (…), a[1] = …, a.field = …,
// DEFAULT, a column given twice, WHERE, FROM, RETURNING, comments, and anything after it.
[[nodiscard]] Result<std::vector<Assignment>> ParseSetClause(std::string_view text);

}  // namespace pgalter::sql
