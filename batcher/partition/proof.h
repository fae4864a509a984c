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
#include "planner/plan/plan.h"

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

// Before what they were for is tried, or where it fails.
run::Task<> TakeProofsAway(run::Environment& env, const state::Step& step,
                           std::vector<Proof> proofs);

// The same as two steps of a plan, by these ids. Where rows contradict it, the second one takes the
// CHECK away (contradicted.h).
void AddProof(const Proof& proof, std::string add, std::string validate, plan::Plan& plan);

}  // namespace pgalter::partition
