// Steps of kind "detach": DETACH PARTITION … CONCURRENTLY.
//
// Its second half queues ACCESS EXCLUSIVE on the partition inside a statement of unknown length, so
// it is cancelled once its first half is committed, and ended by FINALIZE under the ladder. Beside
// a default partition the server refuses it: then it is a plain DETACH under the ladder. So it is
// where triggers stand for a foreign key that refers to the table: who refers is asked under the
// lock, and a detach whose first half is committed could not be taken back for the answer.
//
// Lock: SHARE UPDATE EXCLUSIVE on the parent, ACCESS EXCLUSIVE on the partition (plain: on both).
// Blocks: at most one attempt of the ladder.
// On crash: attached, pending or detached, which the catalog tells. Undo: the step's own
// statements.
#pragma once

#include "engine/run/referrers.h"
#include "engine/run/step_handler.h"

namespace pgalter::run {

class DetachStep : public StepHandler {
 public:
  explicit DetachStep(const Referrers& referrers) : referrers_(referrers) {}
  Task<bool> Done(Environment& env, const state::Step& step) override;
  Task<> Do(Environment& env, const state::Step& step) override;
  Task<> Undo(Environment& env, const state::Step& step) override;
  // While it is attached, and not pending, whatever was tried.
  Task<bool> Untouched(Environment& env, const state::Step& step) override;
  // Of a retention, whose first step knows the way back.
  [[nodiscard]] bool UndoesNothing(const state::Step& step) const override {
    return step.undo.empty();
  }

 private:
  const Referrers& referrers_;
};

}  // namespace pgalter::run
