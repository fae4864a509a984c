#pragma once

// Moves an expression over one table to another place where its columns have another name in front:
// a trigger's `new`, an alias. Works on the text: only the references change, the rest stays as
// written.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "planner/sql/result.h"

namespace pgalter::sql {

// Rewrites every column reference, unqualified or qualified by `from_qualifier` (the table's name
// or alias), to `new_qualifier`.column; an empty `new_qualifier` takes qualifiers off. A column
// that is a key of `substitutions` becomes that expression in brackets, whose own references are
// rewritten too (not substituted again): how a stored generated column is inlined where it has no
// value yet.
//
// `t.*` becomes `new_qualifier.*`. It is refused where it cannot be said otherwise: without a new
// qualifier, or when a column is to be substituted. A name alone is always read as a column: use
// the server's own rendering of an expression, which writes a whole row as `t.*`. Subqueries and
// other tables' columns are refused.
[[nodiscard]] Result<std::string> RequalifyColumns(
    std::string_view expression, const std::optional<std::string>& from_qualifier,
    std::string_view new_qualifier, const std::map<std::string, std::string>& substitutions = {});

}  // namespace pgalter::sql
