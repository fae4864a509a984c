// Steps of kind "partition-swap": the new partitions of a repart take the place of the old one, or
// the new one that of several.
//
// Lock: ACCESS EXCLUSIVE on the whole, its partitions, and the tables that its foreign keys refer
// to, in one LOCK TABLE, under the ladder. Blocks: everybody on them, for at most the hold budget.
// All in one transaction: the rest of the changes, DETACH of the old one, ATTACH of the new ones,
// whose CHECKs spare the server from reading them. On crash: rolled back; it records itself in its
// transaction. Undo: the rows go back under the same lock, where they are few (regroup.h); nothing
// to take back before.
#pragma once

#include "engine/run/step_handler.h"

namespace pgalter::partition {

class SwapStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
  run::Task<bool> StillStands(run::Environment& env, const state::Step& step) override;
  [[nodiscard]] bool CutsOver() const override { return true; }
};

}  // namespace pgalter::partition
