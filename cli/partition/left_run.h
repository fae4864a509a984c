// A run that a call from cron has left, killed or failed in the middle: it has the table, and the
// next call goes on with it.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "engine/guard/session.h"

namespace pgalter::cli {

// The eldest run of these commands ("partition retain") at the table, or of `marked` (a key of its
// spec, as a plan's run does not say which command it is of), that somebody has to go on with and
// that nobody wants to rest. Empty: there is none.
Task<std::string> FindLeftRun(guard::Session& session, pg::Oid table,
                              std::vector<std::string> commands, std::string marked = "");

// Goes on with it, and says so. Throws Rejected where a runner is at work with it.
Task<ExitCode> GoOnWithLeftRun(const Context& context, guard::Session& session, std::string run);

}  // namespace pgalter::cli
