#include "batcher/rebuild/in_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "batcher/backfill/sync_trigger.h"
#include "batcher/backfill/window_store.h"
#include "batcher/rebuild/room.h"
#include "batcher/rebuild/store.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/canary.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"
#include "engine/state/retention.h"

namespace pgalter::rebuild {

namespace {

Spec SpecOf(const plan::Rebuild& planned, guard::Settings settings) {
  Spec spec;
  spec.table = planned.table;
  spec.alter = planned.alter;
  spec.maps = planned.maps;
  spec.order_by = planned.order_by;
  spec.rebuild_matviews = planned.rebuild_matviews;
  for (const plan::Rebuild::Companion& other : planned.companions) {
    Companion companion;
    companion.table = other.table;
    companion.alter = other.alter;
    spec.companions.push_back(std::move(companion));
  }
  spec.settings = std::move(settings);
  return spec;
}

// What earlier steps change is another table by the time the rebuild begins.
bool IsTouchedBefore(const plan::Plan& plan, const plan::Step& rebuild) {
  for (const plan::Step& step : plan.steps) {
    if (&step == &rebuild) return false;
    for (const plan::StepLock& lock : step.locks)
      for (const auto& table : plan::RebuiltTables(rebuild))
        if (lock.relation == table) return true;
  }
  return false;
}

Task<bool> IsThere(Session& session, std::string table) {
  const pg::Result row = co_await session.db().Query("SELECT to_regclass($1) IS NOT NULL", table);
  co_return row.Get<bool>(0, 0);
}

// The run as the part knows it: one of this rebuild.
Task<state::Run> OwnRun(run::Environment& env, const state::Step& step) {
  const auto planned = run::PlannedStep(step).rebuild;
  if (!planned)
    throw run::Failure(
        run::ExitCode::kError,
        fmt::format("step {} of run {} does not say what it rebuilds", step.id, env.run.id));
  state::Run own = env.run;
  own.command = "rebuild";
  run::PlanSpec plan = run::PlanSpecOf(env.run);
  Spec spec = SpecOf(*planned, std::move(plan.settings));
  spec.workers = plan.pace.workers.value_or(spec.workers);
  spec.chunk_time = plan.pace.chunk_time.value_or(spec.chunk_time);
  spec.throttle = std::move(plan.pace.throttle);
  const pg::Result made = co_await env.main.db().Query(
      "SELECT source FROM pgalter.rebuild WHERE run = $1"
      " ORDER BY coalesce((definition->>'number')::int, 1)",
      env.run.id);
  // The rows of all its tables are written together.
  if (!made.empty()) {
    own.relid = made.Get<pg::Oid>(0, 0);
    for (std::size_t i = 0; i < spec.companions.size(); ++i)
      spec.companions[i].relid = made.Get<pg::Oid>(static_cast<int>(i) + 1, 0);
  } else {
    Prepared prepared = co_await Prepare(env.main, spec, Checking::kLookOnly);
    own.relid = prepared.table.oid;
    own.target = prepared.tables();
    own.total_rows = static_cast<std::int64_t>(prepared.rows);
    spec = std::move(prepared.spec);
  }
  own.spec = ToJson(spec);
  if (const auto* ladder = env.run.spec.if_contains("ladder")) own.spec["ladder"] = *ladder;
  run::NameCanaryGate(own, step);
  co_return own;
}

run::Environment WithRun(run::Environment& env, const state::Run& own) {
  return run::Environment{env.sessions, env.main,     env.observer, env.stopper, env.lease,
                          own,          env.progress, env.control,  env.outside};
}

}  // namespace

Task<std::vector<std::string>> RefuseUnfit(Session& session, const plan::Plan& plan,
                                           const run::Pace& pace, Checking how) {
  std::vector<std::string> remarks;
  for (const plan::Step& step : plan.steps) {
    if (!step.rebuild) continue;
    const bool there = co_await IsThere(session, step.rebuild->table);
    if (!there) continue;  // an earlier step makes it
    const Checking now = IsTouchedBefore(plan, step) ? Checking::kLookOnly : how;
    Spec spec = SpecOf(*step.rebuild, guard::Settings());
    spec.throttle = pace.throttle;
    const Prepared prepared = co_await Prepare(session, std::move(spec), now);
    // Whatever comes before it, the table hardly changes its size.
    if (now == Checking::kLookOnly)
      RefuseTooSmallBudget(prepared.spec, prepared.tables(), prepared.bytes);
    for (const std::string& remark : prepared.remarks)
      remarks.push_back(fmt::format("{}: {}", step.id, remark));
  }
  co_return remarks;
}

run::Task<bool> PlannedPart::Done(run::Environment& env, const state::Step& step) {
  if (!run::IsPlan(env.run)) co_return co_await part_->Done(env, step);
  const state::Run own = co_await OwnRun(env, step);
  run::Environment with_own = WithRun(env, own);
  co_return co_await part_->Done(with_own, step);
}

run::Task<> PlannedPart::Do(run::Environment& env, const state::Step& step) {
  if (!run::IsPlan(env.run)) {
    co_await part_->Do(env, step);
    co_return;
  }
  const state::Run own = co_await OwnRun(env, step);
  run::Environment with_own = WithRun(env, own);
  co_await part_->Do(with_own, step);
}

// Where nothing was made there is nothing to take back, and nobody to ask what it would have been.
run::Task<> PlannedPart::Undo(run::Environment& env, const state::Step& step) {
  if (!run::IsPlan(env.run)) {
    co_await part_->Undo(env, step);
    co_return;
  }
  const pg::Result made =
      co_await env.main.db().Query("SELECT FROM pgalter.rebuild WHERE run = $1", env.run.id);
  if (made.empty()) co_return;
  const state::Run own = co_await OwnRun(env, step);
  run::Environment with_own = WithRun(env, own);
  co_await part_->Undo(with_own, step);
}

// What the state says of it is the same in a plan.
run::Task<bool> PlannedPart::StillStands(run::Environment& env, const state::Step& step) {
  co_return co_await part_->StillStands(env, step);
}

run::Task<bool> ReleaseStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> ReleaseStep::Do(run::Environment& env, const state::Step& step) {
  if (run::PlannedStep(step).backfill) {
    co_await sync_.Do(env, step);
    co_return;
  }
  const lock::LadderOptions options = run::LadderOf(env.run);
  const backfill::Which own = &IsOfRebuild;
  co_await backfill::DropArtefacts(env.main, env.observer, env.run.id, options, env.stopper, own);
  async::FailPoint("old-table-dropped");
  auto forget = [&]() -> Task<> {
    co_await guard::CheckLease(env.main, env.lease);
    co_await Forget(env.main, env.run.id);
    co_await backfill::ForgetWindows(env.main, env.run.id);
    co_await state::NoteReleased(env.main, env.run.id);
    co_await state::RecordStep(env.main, env.lease, step.ordinal, state::StepState::kDone);
  };
  co_await guard::RunInTransaction(env.main, forget);
}

run::Task<> ReleaseStep::Undo(run::Environment& env, const state::Step& step) {
  if (run::PlannedStep(step).backfill) co_await sync_.Undo(env, step);
}

}  // namespace pgalter::rebuild
