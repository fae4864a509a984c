// The far end of a run's life, after its runner has gone: finished, then forgotten.
#pragma once

#include <cstdint>
#include <string>

#include "engine/guard/session.h"

namespace pgalter::state {

using async::Task;
using guard::Session;

// The old tables of its rebuild are dropped: an entry in the log, where it is the run of a
// migration.
Task<> NoteReleased(Session& session, std::string run);

// A done run keeps nothing in the database any more. Nothing happens to a run that is not done.
Task<> MarkFinished(Session& session, std::string run);

struct Forgotten {
  std::int64_t gone = 0;
  std::int64_t kept = 0;  // by the policy, for
  std::string retention;  // so long; empty: it has none
};

// Forgets runs that ended at least that long ago and left nothing behind.
Task<Forgotten> ForgetEnded(Session& session, int days);

}  // namespace pgalter::state
