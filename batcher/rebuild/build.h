// Build: indexes of a table that nobody uses yet, several at a time.
#pragma once

#include <chrono>
#include <vector>

#include "batcher/capture/flow.h"
#include "batcher/rebuild/definition.h"
#include "batcher/throttle/throttle.h"
#include "engine/run/step_handler.h"

namespace pgalter::rebuild {

// A session of its own: what runs for hours must not hold up the run's own.
Task<Session> OpenForLong(const run::Environment& env);

// Of these, in their order, those that are not there, or not whole: a kill may have come between an
// index and its constraint.
Task<std::vector<Index>> ReadMissing(Session& session, const std::vector<Index>& indexes);
// Whether any of them has been begun.
Task<bool> IsBegun(Session& session, const std::vector<Index>& indexes);

// Makes them by as many sessions as the run has workers, which share the memory and the processes
// that the server gives to one build. None is begun after `until`, but one at least. Those of
// tables that hold rows come first, side by side; then their constraints, and those of partitioned
// tables, which adopt them, in their order. Throws run::Failure, with the keys, where rows are not
// unique.
//
// Lock: SHARE on their tables, then ACCESS EXCLUSIVE. Blocks: nobody.
Task<> Build(run::Environment& env, throttle::Throttle& throttle, const capture::Flow& flow,
             std::vector<Index> missing, async::Clock::time_point until);

}  // namespace pgalter::rebuild
