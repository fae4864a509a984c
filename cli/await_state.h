// Waiting for what another process does with a run, or was asked to do.
#pragma once

#include <optional>
#include <string>

#include "cli/command.h"
#include "engine/guard/session.h"
#include "engine/state/control.h"
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

// Asks for `wanted`, then waits for `state`. Who goes on with the run may have asked for that at
// the same moment: a runner that has come up since is asked again, beside which nobody else does.
Task<Awaited> AskAndAwait(guard::Session& session, std::string run, state::Wanted wanted,
                          state::RunState state, async::Milliseconds limit);

// The runner of `run` once it is known to live, by one more beat; nullopt once its session has
// gone, as that of a killed runner does soon. One of which neither is seen within a few beats is
// returned: its machine may be cut off, and nobody here can tell.
Task<std::optional<state::Runner>> FindLivingRunner(guard::Session& session, std::string run);

}  // namespace pgalter::cli
