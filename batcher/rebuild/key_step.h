// Steps of kind "key": rows that were copied and changed since go from the shadow, its key is
// built, and the changes of the time of the copy are caught up with.
//
// Without the purge the key could not be built: a row that moved between blocks may be there
// twice. Lock: on the shadow only, which nobody uses. Blocks: nobody. On crash: goes on from what
// is there. Undo: the shadow goes as a whole.
#pragma once

#include "engine/run/step_handler.h"

namespace pgalter::rebuild {

class KeyStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
};

// Steps of kind "indexes": all other indexes and constraints of the new table, and what was changed
// meanwhile. VACUUM and ANALYZE come beside the comparison.
class IndexesStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
};

}  // namespace pgalter::rebuild
