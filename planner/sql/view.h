#pragma once

// Expressions as the server renders them: a temporary view resolves a user's names, pg_get_viewdef
// writes them out.

#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/result.h"

namespace pgalter::sql {

// The text of each target's expression in `SELECT expr AS a, expr2 AS b FROM s.t`, in order, as
// rendered.
[[nodiscard]] Result<std::vector<std::string>> ViewTargets(std::string_view definition);

}  // namespace pgalter::sql
