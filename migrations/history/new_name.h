#pragma once

// The name of a new migration. Pure.

#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/history/collection.h"

namespace pgalter::history {

// "Add a column!" -> "add_a_column"; empty: there is nothing in it to make a name of.
[[nodiscard]] std::string SlugOf(std::string_view title);

// YYYYMMDDHHMMSS of `now` in UTC; a second behind the last one where that is later. Where the last
// is a short number: the next, with as many digits at least.
[[nodiscard]] std::string NextVersion(const std::vector<Migration>& existing, std::time_t now);

}  // namespace pgalter::history
