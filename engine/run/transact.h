// Statements of a plan in one transaction under the lock ladder, which records its step.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/lock/ladder.h"
#include "engine/run/step_handler.h"

namespace pgalter::run {

// How long the lock may be held.
enum class Holding {
  kShort,            // users wait: the hold budget
  kAsLongAsItTakes,  // the lock stops nobody's rows
};

struct Transacted {
  std::vector<std::string> sql;
  Holding holding = Holding::kShort;
  state::StepState becomes = state::StepState::kDone;  // recorded in the same transaction
  guard::Isolation isolation = guard::Isolation::kReadCommitted;
  std::function<Task<>()> before = {};  // as in lock::Work
  std::function<Task<>()> body = {};    // the same
  // Of a step that has changed something already: what, instead of "nothing was changed by it".
  std::string so_far = {};
  std::string why_slow = {};  // sentences for who has held its lock for too long: why that may be
};

// Throws Failure (lock not obtained): it has changed nothing then.
Task<> Transact(Environment& env, const state::Step& step, Transacted what,
                async::Stopper& stopper);

// A line for people: for whom the ladder waits.
std::string WaitingFor(const lock::LadderReport& report);

}  // namespace pgalter::run
