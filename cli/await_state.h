// Waiting for what another process was asked to do with a run.
#pragma once

#include <string>

#include "cli/command.h"
#include "engine/guard/session.h"
#include "engine/state/runs.h"

namespace pgalter::cli {

enum class AwaitEnd {
  kReached,
  kEndedOtherwise,  // done, failed, …: not the state that was waited for
  kNoRunner,        // its process is gone: nobody will bring it there
  kTimedOut,
};

struct Awaited {
  AwaitEnd end = AwaitEnd::kTimedOut;
  state::RunState state = state::RunState::kRunning;  // as last seen
};

Task<Awaited> AwaitState(guard::Session& session, std::string run, state::RunState wanted,
                         async::Milliseconds limit);

}  // namespace pgalter::cli
