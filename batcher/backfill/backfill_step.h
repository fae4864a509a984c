// Steps of kind "backfill": every row of the table that needs the value gets it.
//
// Lock: ROW EXCLUSIVE on the table and FOR NO KEY UPDATE on a chunk's rows, chunk by chunk.
// Blocks: writers of these rows, for a chunk's time.
// On crash: whole chunks are there or not; it goes on with the others. Undo: rows keep their
// values.
#pragma once

#include "engine/run/step_handler.h"

namespace pgalter::backfill {

class BackfillStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
  run::Task<bool> Untouched(run::Environment& env, const state::Step& step) override;
};

// Of a plan: the trigger of its backfill goes, before columns go that the trigger stands on.
//
// Lock: ACCESS EXCLUSIVE on the table. Blocks: its users, for one attempt at the lock.
// On crash: rolled back, or goes on. Undo: the trigger is made again; rows that users wrote
// meanwhile keep what they wrote.
class SyncReleaseStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
};

}  // namespace pgalter::backfill
