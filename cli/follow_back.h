// Follow back: the old table of a rebuild that is done, kept up with the new one until somebody
// ends it, so that a revert has nothing left to catch up with and the way back stays open.
#pragma once

#include <string>

#include "cli/context.h"

namespace pgalter::cli {

// Throws Rejected (refused) where there is no way back to keep open. SIGINT, SIGTERM and SIGHUP end
// it, as does a revert or a finish of the run: exit code 0.
Task<ExitCode> FollowBack(const Context& context, std::string run);

}  // namespace pgalter::cli
