#include "batcher/capture/capture_step.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <vector>

#include "batcher/capture/flow_sql.h"
#include "batcher/capture/parts.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/lock/human_attempts.h"
#include "engine/lock/ladder.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"
#include "engine/state/artefacts.h"
#include "planner/sql/identifier.h"

namespace pgalter::capture {

using run::Task;

namespace {

state::Artefact Ledger(const Flow& flow, const char* kind, std::string name) {
  state::Artefact artefact;
  artefact.run = flow.run;
  artefact.kind = kind;
  artefact.name = std::move(name);
  return artefact;
}

state::Artefact Trigger(const Flow& flow, const Source& source, std::string name) {
  state::Artefact trigger = Ledger(flow, "trigger", std::move(name));
  trigger.relation = source.name;
  trigger.relid = source.oid;
  return trigger;
}

// Of several tables they come in one transaction: the first one's tell.
Task<bool> IsCaptured(Session& session, const Flow& flow) {
  const int wanted = flow.also.empty() ? 2 : 1;
  const pg::Result found = co_await session.db().Query(
      "SELECT count(*) = $4 FROM pg_trigger WHERE tgrelid = $1 AND tgname IN ($2, $3)"
      " AND tgenabled = 'A'",
      flow.from_oid, flow.trigger(), flow.truncate_trigger(), wanted);
  co_return found.Get<bool>(0, 0);
}

// In one statement, so that no two of them are waited for one after the other.
lock::LockRequest LockOf(const Flow& flow) {
  lock::LockRequest request;
  request.mode = locks::LockMode::kShareRowExclusive;
  for (const Source& source : flow.sources())
    if (auto name = sql::ParseQualifiedName(source.name))
      request.tables.push_back(std::move(*name));
  return request;
}

// `done` is recorded with it.
Task<> Capture(run::Environment& env, const Flow& flow, std::function<Task<>()> done) {
  auto ledger = [&]() -> Task<> {
    co_await guard::CheckLease(env.main, env.lease);
    co_await state::RecordArtefact(env.main, Ledger(flow, "function", flow.function() + "()"));
    const std::vector<Source> sources = flow.sources();
    for (std::size_t i = 0; i < sources.size(); ++i)
      co_await state::RecordArtefact(env.main, Trigger(flow, sources[i], flow.trigger_of(i)));
    if (flow.also.empty())
      co_await state::RecordArtefact(env.main,
                                     Trigger(flow, sources.front(), flow.truncate_trigger()));
  };
  co_await guard::RunInTransaction(env.main, ledger);
  async::FailPoint("capture-in-ledger");
  lock::Work work;
  if (!flow.also.empty()) work.lock = LockOf(flow);
  for (const std::string& sql : MakeTriggers(flow)) work.statements.push_back({sql, {}});
  auto record = [&]() -> Task<> {
    co_await guard::CheckLease(env.main, env.lease);
    // The lock of the triggers keeps partitions from coming and going until this is recorded, and
    // the table from being rewritten.
    co_await RememberParts(env.main, flow);
    co_await done();
  };
  work.record = record;
  const auto tell = [&env, &flow](const lock::LadderReport& report) {
    env.progress.note = fmt::format(
        "waiting for a lock on {}, {} so far{}", flow.source_names(),
        lock::HumanAttempts(report.attempts),
        report.last_blockers.empty() ? "" : ": " + lock::Describe(report.last_blockers.front()));
  };
  const lock::LadderOptions options = run::LadderOf(env.run);
  const lock::LadderOutcome outcome = co_await lock::RunUnderLadder(
      env.main, env.observer, std::move(work), options, env.stopper, tell);
  env.progress.note.clear();
  async::FailPoint("capture-made");
  if (outcome.result != lock::LadderResult::kDone)
    throw run::Failure(
        run::ExitCode::kLockNotObtained,
        fmt::format("the capture on {} was not made, the table was too busy: {}. "
                    "Then: pgalter resume {}",
                    flow.source_names(), fmt::join(lock::Lines(outcome), "\n"), env.run.id));
}

}  // namespace

Task<bool> CaptureStep::Done(run::Environment& env, const state::Step&) {
  const std::vector<Flow> flows = co_await LoadFlows(env.main, env.run.id, "forward");
  for (const Flow& flow : flows) {
    const bool captured = co_await IsCaptured(env.main, flow);
    if (!captured) co_return false;
  }
  co_return true;
}

// Table by table: each attempt at a lock keeps the users of one of them waiting.
Task<> CaptureStep::Do(run::Environment& env, const state::Step& step) {
  const std::vector<Flow> flows = co_await LoadFlows(env.main, env.run.id, "forward");
  for (const Flow& flow : flows) {
    const bool captured = co_await IsCaptured(env.main, flow);
    if (captured) continue;  // by a runner that ended between two of them
    auto done = [&]() -> Task<> {
      if (&flow != &flows.back()) co_return;
      co_await state::RecordStep(env.main, env.lease, step.ordinal, state::StepState::kDone);
    };
    const std::function<Task<>()> record = done;
    co_await Capture(env, flow, record);
  }
}

// The ledger names the triggers; what is in it is dropped with the shadow.
Task<> CaptureStep::Undo(run::Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::capture
