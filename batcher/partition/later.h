// Later: what an exchange of tables or partitions leaves to be done for foreign keys while users
// work on. It is kept in the spec of the step that does it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/cutover/unsettled.h"
#include "batcher/cutover/validating.h"
#include "engine/lock/ladder.h"
#include "engine/run/step_handler.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

// Validations, and then what partitioned tables adopt, each under the ladder.
struct Later {
  std::vector<std::string> validate;
  std::vector<std::string> adopt;
  cutover::SettledOn on;
};

// The kind of the step that does it on the way there.
inline constexpr const char* kSettle = "partition-settle";

// As it is recorded now: the runner may have read it before. nullopt: a run of an older program has
// none of that kind.
Task<std::optional<state::Step>> FindStep(run::Environment& env, std::string kind);

// In the transaction of the exchange, with all else that the step's spec holds.
Task<> KeepForLater(run::Environment& env, state::Step step, const Later& later);
// What the step is still to do: of the way there; nothing, where it is done.
Later LeftOf(const std::optional<state::Step>& step);

struct Settling {
  cutover::Validating how;
  const char* again = "resume";  // the verb that goes on with it
  lock::LadderOptions ladder;    // to adopt a key
};

// Validates, then has partitioned tables adopt what their partitions have, each once. What is to be
// said of it. Throws run::Failure: a row refers to nothing, or a lock was not obtained.
//
// Lock: SHARE UPDATE EXCLUSIVE on the table that has the key, ROW SHARE on the other; to adopt, the
// lock of ADD FOREIGN KEY on both, for an instant. On crash: goes on.
Task<std::string> Settle(run::Environment& env, state::Step step, async::Stopper& stopper,
                         Settling settling);

}  // namespace pgalter::partition
