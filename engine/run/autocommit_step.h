// Steps of kind "autocommit": statements that a transaction may not hold, each by itself.
//
// Lock: the statements' own, waited for in short attempts. Blocks: at most one attempt, then as
// long as the statement holds its lock.
// On crash: what was committed stays; the statements are run again, so the plan has only such that
// bear it. Undo: the step's own statements, the same way.
#pragma once

#include "engine/run/step_handler.h"

namespace pgalter::run {

class AutocommitStep : public StepHandler {
 public:
  Task<bool> Done(Environment& env, const state::Step& step) override;
  Task<> Do(Environment& env, const state::Step& step) override;
  Task<> Undo(Environment& env, const state::Step& step) override;
};

// One statement by itself, in `session`, which has the role's settings. Throws Failure (lock not
// obtained).
Task<> RunAlone(Environment& env, guard::Session& session, std::string sql,
                async::Stopper& stopper);

}  // namespace pgalter::run
