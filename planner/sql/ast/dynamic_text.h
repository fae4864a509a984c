#pragma once

// What PL/pgSQL's EXECUTE runs, as far as the expression tells. Private to planner/sql.

#include <optional>
#include <string>
#include <string_view>

namespace pgalter::sql::ast {

// Literals, what || joins, and format('…', …) of them. Names and values that are computed stand as
// a word of our own, if the text is SQL that way; none if it is not, or all of it is computed.
[[nodiscard]] std::optional<std::string> DynamicText(std::string_view expression);

}  // namespace pgalter::sql::ast
