// Named values in a user's expression, as psql writes them: `lower(email) || :suffix`.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "planner/sql/result.h"

namespace pgalter::sql {

// Replaces `:name` by the text given for it; the rest of the text stays. PostgreSQL's
// own scanner tells what is inside a string, a quoted name, a dollar quote, a comment, or a cast.
// As in psql the bound of an array slice right after its colon (`a[1:n]`) is such a name too: put a
// space between. Refused: a name that is not known, a name in quotes (`:'name'`), and text that has
// $1 already.
[[nodiscard]] Result<std::string> BindPlaceholders(
    std::string_view expression,
    const std::map<std::string, std::string, std::less<>>& replacements);

}  // namespace pgalter::sql
