// The end of a detach that is pending: DETACH PARTITION … FINALIZE under the ladder, once nobody
// has a snapshot that the server would wait for under its lock (engine/lock/younger_snapshots.h).
//
// Lock: SHARE UPDATE EXCLUSIVE on the parent, ACCESS EXCLUSIVE on the partition.
// Blocks: at most one attempt of the ladder.
#pragma once

#include <string>

#include "engine/run/step_handler.h"

namespace pgalter::run {

// Throws Failure (lock not obtained): it is pending still.
// `pending`: a sentence of what that is for users.
Task<> FinalizeDetach(Environment& env, const state::Step& step, std::string detach,
                      std::string pending, state::StepState becomes, async::Stopper& stopper);

}  // namespace pgalter::run
