// Steps of kind "cutover": the new table takes the old one's place.
//
// Lock: ACCESS EXCLUSIVE on both tables and on those that foreign keys join to them, in one LOCK
// TABLE, under the ladder. Blocks: everybody on them, for at most the hold budget. All in one
// transaction: the rest of the changes, the change of schemas, and what hangs on the table.
// On crash: rolled back; it records itself in its transaction. Undo: the same the other way round,
// with what users have written since.
#pragma once

#include "engine/run/step_handler.h"

namespace pgalter::cutover {

class CutoverStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
  run::Task<bool> StillStands(run::Environment& env, const state::Step& step) override;
};

// Steps of kind "settle": foreign keys that were added NOT VALID are validated.
//
// Lock: SHARE UPDATE EXCLUSIVE on the table that has the key, ROW SHARE on the other. Blocks:
// nobody's rows. On crash: goes on. Undo: nothing to undo.
class SettleStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
  [[nodiscard]] bool UndoesNothing(const state::Step&) const override { return true; }
};

}  // namespace pgalter::cutover
