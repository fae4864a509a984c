// Steps of kind "ddl": the statements of a step in one transaction, under the lock ladder.
//
// Lock: the statements' own. Blocks: at most one attempt of the ladder, or the hold budget.
// On crash: rolled back; it records itself in its transaction. Undo: none of its own; the plan's
// contract steps are not taken back, and what a run may take back is in its ledger.
#pragma once

#include "engine/run/step_handler.h"

namespace pgalter::run {

// How long the lock may be held: a VALIDATE scans under a lock that blocks nobody's rows.
enum class Holding { kShort, kAsLongAsItTakes };

class DdlStep : public StepHandler {
 public:
  explicit DdlStep(Holding holding) : holding_(holding) {}
  Task<bool> Done(Environment& env, const state::Step& step) override;
  Task<> Do(Environment& env, const state::Step& step) override;
  Task<> Undo(Environment& env, const state::Step& step) override;

 private:
  Holding holding_;
};

}  // namespace pgalter::run
