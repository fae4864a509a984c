// Help and the manual page, made from the table of commands. Pure.
#pragma once

#include <string>
#include <string_view>

#include "cli/command.h"

namespace pgalter::cli {

std::string OverviewText();
std::string HelpText(const Command& command);
// Of a verb of `partition` alone; of any other command, and with any other word, all of it.
std::string HelpText(const Command& command, std::string_view word);
std::string ManPage(std::string_view version);

}  // namespace pgalter::cli
