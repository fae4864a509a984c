// Arguments: argv in, Context out. Reads the environment and pgalter.toml, nothing else. Throws
// Rejected (usage) for what it does not know, naming the nearest that it does.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <string>
#include <vector>

#include "cli/context.h"

namespace pgalter::cli {

// `arguments` without the program's name.
Context ParseArguments(const std::vector<std::string>& arguments);

// How to report errors, known even where the rest cannot be parsed.
Output WantedOutput(const std::vector<std::string>& arguments);

boost::program_options::options_description CommonOptions();
boost::program_options::options_description OwnOptions(const Command& command);

// Long names with their dashes: the command's own, then the common ones.
std::vector<std::string> OptionNames(const Command& command);

}  // namespace pgalter::cli
