// Steps of kind "shadow": the empty shadow table, its flow, and what the definition asks for later.
//
// Lock: ACCESS SHARE on the source. Blocks: nobody. On crash: rolled back; it records itself in its
// transaction. Undo: shadow, log and schemas are dropped.
#pragma once

#include "engine/run/step_handler.h"

namespace pgalter::rebuild {

class ShadowStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
};

}  // namespace pgalter::rebuild
