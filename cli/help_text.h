// Help and the manual page, made from the table of commands. Pure.
#pragma once

#include <string>

#include "cli/command.h"

namespace pgalter::cli {

std::string OverviewText();
std::string HelpText(const Command& command);
std::string ManPage(std::string_view version);

}  // namespace pgalter::cli
