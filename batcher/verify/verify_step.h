// Steps of kind "verify": source and shadow hold the same, but for keys that are still to be
// applied. Exact, and without a lock on rows: each statement sees source, shadow, log and dirty
// keys in one snapshot.
//
// Lock: ACCESS SHARE on both. Blocks: nobody. On crash: begun again. Undo: nothing to undo.
#pragma once

#include "engine/run/step_handler.h"

namespace pgalter::verify {

class VerifyStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
};

}  // namespace pgalter::verify
