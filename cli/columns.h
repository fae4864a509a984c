// How wide what is printed may be.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace pgalter::cli {

inline constexpr std::size_t kUnknownColumns = 80;

// Of the terminal on a descriptor; nullopt: none, or one that does not say.
std::optional<std::size_t> TerminalColumns(int descriptor);

// What the user has set in COLUMNS (empty: nothing) before what the terminal says, as ls takes it;
// kUnknownColumns where neither says a number. Pure.
std::size_t ColumnsFrom(std::string_view variable, std::optional<std::size_t> terminal);

// Both, of stdout.
std::size_t ColumnsOfOutput();

}  // namespace pgalter::cli
