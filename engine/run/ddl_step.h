// Steps of kinds "ddl", "validate" and "refresh": the statements of a step in one transaction,
// under the lock ladder. Where they detach a partition, who refers to its rows is asked under it.
// Where another column takes a column's place, sessions with an older snapshot are waited for.
//
// Lock: the statements' own. Blocks: at most one attempt of the ladder, or the hold budget;
// VALIDATE and REFRESH CONCURRENTLY last, under locks that stop nobody's rows.
// On crash: rolled back; it records itself in its transaction. Undo: the step's own statements, the
// same way.
#pragma once

#include "engine/run/referrers.h"
#include "engine/run/step_handler.h"
#include "engine/run/transact.h"

namespace pgalter::run {

class DdlStep : public StepHandler {
 public:
  DdlStep(Holding holding, const Referrers& referrers) : holding_(holding), referrers_(referrers) {}
  Task<bool> Done(Environment& env, const state::Step& step) override;
  Task<> Do(Environment& env, const state::Step& step) override;
  Task<> Undo(Environment& env, const state::Step& step) override;

 private:
  Task<std::vector<Leaving>> Leave(Environment& env, const state::Step& step,
                                   std::string& why_slow);

  Holding holding_;
  const Referrers& referrers_;
};

}  // namespace pgalter::run
