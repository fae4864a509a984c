// Rebuilds that are steps of a plan: their parts are steps of the plan's run.
//
// The state of a rebuild is kept by its run, so one run has one at a time: the plan has the old
// table released before the next begins (planner/plan/arrange.cc).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "batcher/backfill/backfill_step.h"
#include "batcher/rebuild/prepare.h"
#include "engine/run/plan_spec.h"
#include "engine/run/step_handler.h"
#include "planner/plan/plan.h"

namespace pgalter::rebuild {

// What stands in the way of the plan's rebuilds at that pace, as far as it can be told before the
// steps that come first: throws run::Failure. Remarks of the others.
Task<std::vector<std::string>> RefuseUnfit(Session& session, const plan::Plan& plan,
                                           const run::Pace& pace, Checking how);

// A part's own handler, which in a plan sees the run as one of that rebuild alone.
class PlannedPart : public run::StepHandler {
 public:
  explicit PlannedPart(std::unique_ptr<run::StepHandler> part) : part_(std::move(part)) {}
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
  [[nodiscard]] bool UndoesNothing(const state::Step& step) const override {
    return part_->UndoesNothing(step);
  }
  run::Task<bool> StillStands(run::Environment& env, const state::Step& step) override;

 private:
  std::unique_ptr<run::StepHandler> part_;
};

// Steps of kind "release": what was kept up for old programs goes. Of a backfill that is its
// trigger (batcher/backfill/backfill_step.h); else the old table of a rebuild, with the log and the
// triggers. Lock: ACCESS EXCLUSIVE on the new table. Blocks: everybody, for at most the hold
// budget. On crash: rolled back, or goes on. Undo: of a rebuild none, it is a point of no return.
class ReleaseStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;

 private:
  backfill::SyncReleaseStep sync_;
};

}  // namespace pgalter::rebuild
