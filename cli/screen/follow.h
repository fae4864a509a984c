// Follows a run on the whole screen, and steers it by keys, until the run has ended or whoever
// watches leaves. A lost connection is said on the screen and tried again for as long as it takes.
#pragma once

#include <optional>
#include <string>

#include "cli/context.h"
#include "engine/guard/session.h"
#include "engine/state/runs.h"

namespace pgalter::cli::screen {

// The run as it was last seen; nullopt: it was left while it goes on.
Task<std::optional<state::Run>> FollowOnScreen(const Context& context, guard::Session session,
                                               std::string run);

}  // namespace pgalter::cli::screen
