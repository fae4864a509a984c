// The end of a detach that is pending: DETACH PARTITION … FINALIZE under the ladder.
//
// The server locks the partition first and then, under that lock, waits for every snapshot as old
// as its own. A user who queues behind the lock has such a snapshot: each would wait for the other
// until the attempt is over. So the attempt has a snapshot of its own first, waits, without a lock,
// until no other is as old, and keeps it (REPEATABLE READ) for the statement: who queues later is
// younger.
//
// Lock: SHARE UPDATE EXCLUSIVE on the parent, ACCESS EXCLUSIVE on the partition.
// Blocks: at most one attempt of the ladder.
#pragma once

#include <string>

#include "engine/run/step_handler.h"

namespace pgalter::run {

// Throws Failure (lock not obtained): it is pending still.
Task<> FinalizeDetach(Environment& env, const state::Step& step, std::string detach,
                      state::StepState becomes, async::Stopper& stopper);

}  // namespace pgalter::run
