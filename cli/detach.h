// --detach: the run goes on in a process of its own, without this terminal.
#pragma once

#include <string>

#include "cli/context.h"

namespace pgalter::cli {

// Starts `pgalter resume RUN` in a new session and returns its process id once that runner has
// reported for work, or has ended already. The connection is handed over in the environment
// (PGALTER_DSN), never in argv. Throws Rejected when the runner could not start, with its exit
// code.
Task<int> StartRunner(const Context& context, std::string run);

// The same, and says so.
Task<ExitCode> Detach(const Context& context, std::string run);

}  // namespace pgalter::cli
