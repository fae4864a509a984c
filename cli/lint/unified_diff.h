// Two texts as a unified diff, as `patch` and `git apply` read it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace pgalter::cli {

// Empty when the texts are the same.
std::string UnifiedDiff(std::string_view name, std::string_view before, std::string_view after);

}  // namespace pgalter::cli
