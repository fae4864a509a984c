// Taking back what a run made when its own runner is gone.
#pragma once

#include <string>

#include "cli/context.h"
#include "engine/guard/session.h"
#include "engine/state/runs.h"

namespace pgalter::cli {

// Takes the lease, undoes the steps and records the run as `to`: aborted or reverted. Throws
// run::Beside where somebody else works on it.
Task<> UndoWithoutRunner(const Context& context, std::string run, state::RunState to);

// The same; false, with nothing changed, where somebody took the run up meanwhile. Past `give_up`
// that is thrown (run::Beside).
Task<bool> UndoUnlessBeside(const Context& context, std::string run, state::RunState to,
                            async::Clock::time_point give_up);

// Drops what an ended run left, under the lock ladder or concurrently; its state stays. Throws
// Failure (lock not obtained) when the table was too busy: nothing was changed then.
Task<> DropLeftovers(const Context& context, guard::Session& session, std::string run);

}  // namespace pgalter::cli
