// For how long users may wait while tables change places, of a run that is there already: it has
// copied everything, and its last step held its lock for longer than it may.
#pragma once

#include <string>

#include "engine/guard/session.h"

namespace pgalter::run {

// Kept with the run, for whoever works on it next.
guard::Task<> SetHoldBudget(guard::Session& session, std::string run, async::Milliseconds budget);

}  // namespace pgalter::run
