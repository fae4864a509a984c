// A run is opened in the database before anybody works on it: there its policy is asked, once.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <string>

#include "cli/context.h"

namespace pgalter::cli {

// --break-glass.
void AddBreakGlass(boost::program_options::options_description& options);
// What was given there; empty: nothing. Throws Rejected (usage) where it holds no reason.
std::string BreakGlassOf(const Context& context);

// Throws Rejected (refused), with what is lacking and what to do next: the run stays as it is.
Task<> OpenRun(const Context& context, std::string run);

}  // namespace pgalter::cli
