// The table of commands, as made from commands.def.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace pgalter::cli {

std::span<const Command> AllCommands();

// nullptr: there is none of that name.
const Command* FindCommand(std::string_view name);

// The groups in the order of the help, each once.
std::vector<std::string_view> Groups();

}  // namespace pgalter::cli
