// A run in the foreground: progress while it goes on, signals, and what is to be said at its end.
//
// The first SIGINT, SIGTERM or SIGHUP pauses the run cleanly. The second leaves at once: the server
// rolls back what was in flight, and the run can be resumed.
#pragma once

#include <string>

#include "cli/context.h"

namespace pgalter::cli {

// `run` exists in the state. Reports its own errors, since it knows how to go on from them.
Task<ExitCode> RunInForeground(const Context& context, std::string run);

}  // namespace pgalter::cli
