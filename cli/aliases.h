// The names that other tools have for what a command of ours does.
#pragma once

#include <span>
#include <string_view>

namespace pgalter::cli {

struct Alias {
  std::string_view name;  // one word, or a command and an option
  std::string_view command;
  std::string_view option = {};  // that goes with it
};

// An option that such a command has there, and what ours has for it.
struct OptionAlias {
  std::string_view command;  // ours
  std::string_view name;     // "--port"
  std::string_view option;   // as it is to be written
};

std::span<const Alias> AllAliases();

// nullptr: there is none of that name.
const Alias* FindAlias(std::string_view name);
const OptionAlias* FindOptionAlias(std::string_view command, std::string_view name);

}  // namespace pgalter::cli
