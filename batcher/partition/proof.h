// Proof: a CHECK of ours, NOT VALID and validated while users work on, so that the server need not
// read the table under the lock that follows.
//
// While it is there users cannot write rows that contradict it. So where rows do already, it goes
// at once: nobody is kept from writing for the sake of a run that cannot go on.
#pragma once

#include <string>
#include <vector>

#include "engine/async/stopper.h"
#include "engine/run/step_handler.h"

namespace pgalter::partition {

inline constexpr const char* kBound = "pgalter_bound";      // all rows belong into a partition
inline constexpr const char* kOutside = "pgalter_outside";  // none of a default one does

struct Proof {
  std::string table;      // quoted, with its schema
  std::string name;       // of the constraint, quoted
  std::string condition;  // of all its rows
};

std::string DropOf(const Proof& proof);

// Whichever of them is there already is made anew. The step stays recorded as it is. Throws
// run::Failure (refused) where rows contradict one of them, with the query that finds these and
// `then`, what to do about them; none of the CHECKs is left then.
run::Task<> Prove(run::Environment& env, const state::Step& step, std::vector<Proof> proofs,
                  async::Stopper& stopper, std::string then);

// Steps of kind "partition-prove": the CHECK that the step before it has added is validated, and
// added again where an earlier attempt has taken it away.
//
// Lock: SHARE UPDATE EXCLUSIVE while it reads; to add or drop the CHECK ACCESS EXCLUSIVE, for an
// instant, under the ladder. On crash: rolled back. Undo: nothing; the step before it drops it.
class ProveStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
  [[nodiscard]] bool UndoesNothing(const state::Step&) const override { return true; }
};

// The two steps, by these ids. `then` as above.
std::vector<state::Step> ProofSteps(const Proof& proof, std::string id, std::string validate,
                                    const std::string& then);

}  // namespace pgalter::partition
