// A word as it is to be typed into a shell, in commands that are told to people. Pure.
#pragma once

#include <string>

namespace pgalter::cli {

// In single quotes, where it needs any.
std::string ForShell(const std::string& word);

}  // namespace pgalter::cli
