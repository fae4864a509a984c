// Steps of kind "partition-parent": the partitioned table with its empty partitions, in a schema of
// the run's own.
//
// Lock: SHARE ROW EXCLUSIVE on the tables that foreign keys of the table refer to, under the
// ladder. Blocks: their writers, for as long as it takes to make empty tables. All in one
// transaction, which records it. On crash: rolled back. Undo: dropped.
#pragma once

#include "engine/run/step_handler.h"

namespace pgalter::partition {

class ParentStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
};

}  // namespace pgalter::partition
