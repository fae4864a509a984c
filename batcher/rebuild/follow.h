// Follow: rounds of catch-up until few keys are left.
#pragma once

#include "batcher/capture/catch_up.h"
#include "engine/run/step_handler.h"

namespace pgalter::rebuild {

using async::Task;

// Rounds until one of them finds at most `enough` keys, or no more than come while it is carried
// over in an instant (convergence_policy.h). How many keys in all. Throws run::Failure
// when users change more than can be carried over, with the numbers.
Task<std::int64_t> Follow(run::Environment& env, async::Stopper& stopper, guard::Session& session,
                          const capture::Flow& flow, std::int64_t enough);

// Everything in one snapshot: `to` is what `from` was at one moment, so that what is unique there
// is unique here. Rows that were applied one after the other come from different moments. How many
// keys.
Task<std::int64_t> MatchExactly(guard::Session& session, const capture::Flow& flow,
                                const guard::Lease& lease);

}  // namespace pgalter::rebuild
