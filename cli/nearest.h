// The known word that a mistyped one was probably meant to be. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgalter::cli {

// Empty: none is near enough to be offered.
std::string Nearest(std::string_view typed, const std::vector<std::string>& known);

}  // namespace pgalter::cli
