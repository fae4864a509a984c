// Steps of kind "capture": the triggers of a flow on its source.
//
// Lock: SHARE ROW EXCLUSIVE on the source, under the ladder. Blocks: writers, for an attempt.
// On crash: rolled back; the ledger names what may be there. Undo: dropped.
#pragma once

#include "engine/run/step_handler.h"

namespace pgalter::capture {

class CaptureStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
};

}  // namespace pgalter::capture
