// The far end of a run's life, after its runner has gone: finished, then forgotten.
#pragma once

#include <cstdint>
#include <string>

#include "engine/guard/session.h"

namespace pgalter::state {

using async::Task;
using guard::Session;

// A done run keeps nothing in the database any more. Nothing happens to a run that is not done.
Task<> MarkFinished(Session& session, std::string run);

// Forgets runs that ended at least that long ago and left nothing behind. How many.
Task<std::int64_t> ForgetEnded(Session& session, int days);

}  // namespace pgalter::state
