#include "batcher/backfill/backfill_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "batcher/backfill/last_scan.h"
#include "batcher/backfill/monitor.h"
#include "batcher/backfill/once.h"
#include "batcher/backfill/prepare.h"
#include "batcher/backfill/rights.h"
#include "batcher/backfill/sync_trigger.h"
#include "batcher/backfill/user_triggers.h"
#include "batcher/backfill/window_store.h"
#include "batcher/backfill/wish.h"
#include "batcher/backfill/worker.h"
#include "engine/async/fail_point.h"
#include "engine/async/finally.h"
#include "engine/async/task_group.h"
#include "engine/guard/lease.h"
#include "engine/guard/transaction.h"
#include "engine/run/canary.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"

namespace pgalter::backfill {

using run::ExitCode;
using run::Failure;

namespace {

// The run's own keys, then what an operator has set since.
throttle::ThrottleOptions OptionsFrom(const run::Environment& env, const Spec& spec,
                                      const Table& table) {
  throttle::ThrottleOptions options;
  const auto grace = std::chrono::duration_cast<Milliseconds>(options.policy.grace);
  options.policy.grace = async::LimitOf("throttle-grace", grace);
  options.settings.watch.run = env.run.id;
  if (env.outside != nullptr)
    options.more = [outside = env.outside] { return outside->Readings(); };
  options.settings.watch.table = table.name;
  if (spec.table_bytes >= 0) options.settings.watch.table_bytes_at_start = spec.table_bytes;
  for (const auto& [key, value] : spec.throttle) {
    if (key == run::kCanaryKey) continue;
    if (const auto refused = throttle::Change(options.settings, key, value))
      throw Failure(ExitCode::kUsage, *refused);
  }
  for (const auto& entry : env.control.throttle) {
    const std::string value = entry.value().as_string().c_str();
    // A refusal is the monitor's to tell: it does not end the run.
    if (!ReadWish(entry.key(), value))
      static_cast<void>(throttle::Change(options.settings, entry.key(), value));
  }
  return options;
}

Task<> StartWatching(throttle::Throttle& throttle, run::Environment& env) {
  std::optional<Failure> refused;
  try {
    co_await throttle.Start(env.stopper, env.progress.note);
  } catch (const throttle::SignalsUnreadable& unreadable) {
    refused.emplace(unreadable.missing_right() ? ExitCode::kUnsupported : ExitCode::kRefused,
                    unreadable.what());
  }
  if (refused) throw *refused;
}

// Its failure is the whole crew's.
Task<> OneForAll(Crew& crew, Task<> task) {
  try {
    co_await std::move(task);
  } catch (...) {
    crew.Fail();
    throw;
  }
}

// As many workers as are wanted, more when the operator asks for more, until all is done.
Task<> CountedWorker(Crew& crew, int number) {
  // Also when it ends by an error: whoever hires waits for the last one.
  struct Counted {
    explicit Counted(int& workers) : count(workers) { ++count; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --count; }
    int& count;
  };
  const Counted counted(crew.active_workers);
  co_await OneForAll(crew, RunWorker(crew, number));
}

Task<> RunWorkers(Crew& crew) {
  static constexpr Milliseconds kLook{200};
  auto hire = [&crew](async::TaskGroup& workers) -> Task<> {
    for (int number = 0;;) {
      for (; number < crew.wanted_workers; ++number) workers.Spawn(CountedWorker(crew, number));
      co_await crew.env().stopper.SleepFor(kLook);
      if (crew.active_workers == 0) co_return;
      number = std::min(number, crew.wanted_workers);
    }
  };
  co_await async::WithTaskGroup(hire);
}

Task<> RunCrew(Crew& crew) {
  co_await crew.Load();
  bool done = false;
  auto phases = [&crew, &done](async::TaskGroup& group) -> Task<> {
    group.Spawn(OneForAll(crew, RunMonitor(crew)));
    co_await RunWorkers(crew);
    if (crew.RestsAtCanary()) {
      crew.env().progress.fraction = crew.Fraction();  // the monitor may not have looked yet
      run::RestAtCanary(crew.env());
    }
    crew.env().progress.phase = "last-scan";
    co_await RunLastScan(crew);
    done = true;
    group.Cancel();  // the monitor has no end of its own
  };
  std::exception_ptr failure;
  try {
    co_await async::WithTaskGroup(phases);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure && !(done && async::IsCancellation(failure))) std::rethrow_exception(failure);
}

// The server names what it refused, not what to do about it.
Task<> ThrowWithGrant(run::Environment& env, pg::PgError error) {
  std::string missing = co_await MissingRights(env.main, env.run.relid);
  if (missing.empty()) throw error;
  throw Failure(
      ExitCode::kUnsupported,
      fmt::format("{}. What is done stays. Then: pgalter resume {}", missing, env.run.id));
}

Work WorkOf(const Spec& spec, const Resolved& resolved) {
  if (spec.beginning) return Work{UndoneAndMeant(*spec.beginning, resolved.where), false};
  WorkOrRefusal decided = DecideWork(resolved.columns, resolved.nature, resolved.where);
  if (!decided.work) throw Failure(ExitCode::kRefused, decided.refusal);
  return std::move(*decided.work);
}

Task<> DoBackfill(run::Environment& env, plan::Backfill::Triggers triggers) {
  const Spec spec = FromJson(env.run.spec);
  const Table table = co_await FindTableByOid(env.main, env.run.relid);
  const Resolved resolved = co_await Recall(env.main, table, spec);
  const Work work = WorkOf(spec, resolved);
  const Firing firing = co_await SettleFiring(env.main, triggers, table, resolved);
  env.progress.total_rows = env.run.total_rows;

  throttle::Throttle throttle(co_await boost::asio::this_coro::executor, env.sessions,
                              OptionsFrom(env, spec, table));
  Crew crew(env, spec, table, resolved, work, throttle);
  crew.firing = firing;
  auto work_on = [&]() -> Task<> {
    co_await StartWatching(throttle, env);
    co_await RunCrew(crew);
  };
  std::optional<pg::PgError> refused;
  try {
    co_await async::Finally(work_on(), throttle.Stop());
  } catch (const pg::PgError& error) {
    if (error.klass() != pg::SqlstateClass::kNoRight) throw;
    refused = error;
  }
  if (refused) co_await ThrowWithGrant(env, *refused);
  env.progress.fraction = 1;
  env.progress.done_rows = crew.updated;
  env.progress.total_rows = crew.updated;
}

Sync SyncOf(plan::Backfill::Sync planned) {
  switch (planned) {
    case plan::Backfill::Sync::kAuto:
      return Sync::kAuto;
    case plan::Backfill::Sync::kKeep:
      return Sync::kKeep;
    case plan::Backfill::Sync::kOnce:
      return Sync::kOnce;
    case plan::Backfill::Sync::kNone:
      break;
  }
  return Sync::kNone;
}

Task<> MakeTrigger(run::Environment& env, const state::Step& step) {
  if (!FromJson(env.run.spec).has_trigger) co_return;
  SyncTriggerStep trigger;
  const bool made = co_await trigger.Done(env, step);
  if (!made) co_await trigger.Do(env, step);
}

// What the plan's step means is settled by its first runner: its column may be the plan's own.
Task<state::Run> SettledRun(run::Environment& env, const state::Step& step) {
  state::Run own = env.run;
  if (const auto* settled = step.spec.if_contains("settled")) {
    own.spec = settled->as_object();
    own.relid = static_cast<pg::Oid>(step.spec.at("relid").to_number<std::int64_t>());
    own.total_rows = step.spec.at("total_rows").to_number<std::int64_t>();
    co_return own;
  }
  const auto planned = run::PlannedStep(step).backfill;
  if (!planned)
    throw Failure(ExitCode::kError,
                  fmt::format("step {} of run {} does not say what it sets", step.id, env.run.id));
  Spec spec;
  spec.table = planned->table;
  spec.set_text = planned->set;
  spec.where = planned->where;
  spec.sync = SyncOf(planned->sync);
  run::PlanSpec plan = run::PlanSpecOf(env.run);
  spec.settings = std::move(plan.settings);
  spec.workers = plan.pace.workers.value_or(spec.workers);
  spec.chunk_time = plan.pace.chunk_time.value_or(spec.chunk_time);
  spec.throttle = std::move(plan.pace.throttle);
  const Prepared prepared = co_await Prepare(env.main, std::move(spec), Resolving::kQualified);
  own.spec = ToJson(prepared.spec);
  own.relid = prepared.table.oid;
  for (const Leaf& leaf : prepared.leaves) own.total_rows += static_cast<std::int64_t>(leaf.rows);
  state::Step settled = step;
  settled.spec["settled"] = own.spec;
  settled.spec["relid"] = own.relid;
  settled.spec["total_rows"] = own.total_rows;
  co_await state::RecordSpec(env.main, env.lease, settled);
  async::FailPoint("backfill-settled");
  co_return own;
}

// No row is left: recorded before the trigger goes, which nobody makes again then.
Task<> RecordOver(run::Environment& env, state::Step& step, Spec& spec) {
  spec.over = true;
  step.spec["settled"] = ToJson(spec);
  step.spec["done_rows"] = env.progress.done_rows;
  co_await state::RecordSpec(env.main, env.lease, step);
  async::FailPoint("once-over");
}

// `own`: the run with the step's settled spec.
Task<> DoOnce(run::Environment& env, state::Run& own, state::Step step) {
  Spec spec = FromJson(own.spec);
  step.spec["settled"] = own.spec;
  step.spec["relid"] = own.relid;
  step.spec["total_rows"] = own.total_rows;
  if (spec.over) {
    env.progress.done_rows = step.spec.at("done_rows").to_number<std::int64_t>();
  } else {
    if (!spec.beginning) spec.beginning = co_await MakeOnceTrigger(env, step);
    own.spec = ToJson(spec);
    run::NameCanaryGate(own, step);
    co_await ExpectSameCluster(env.main, *spec.beginning, own.id);
    co_await DoBackfill(env, plan::Backfill::Triggers::kFire);
    co_await RecordOver(env, step, spec);
  }
  const lock::LadderOptions options = run::LadderOf(env.run);
  co_await DropSyncTrigger(env, step, options, env.stopper);
  async::FailPoint("once-released");
}

// In a plan of several, that of `release`.
Task<std::optional<state::Step>> ItsBackfill(run::Environment& env, const state::Step& release) {
  const auto planned = run::PlannedStep(release).backfill;
  for (const state::Step& step : co_await state::LoadSteps(env.main, env.run.id)) {
    if (step.ordinal >= release.ordinal) break;
    if (step.kind == "backfill" && run::PlannedStep(step).backfill == planned) co_return step;
  }
  co_return std::nullopt;
}

// With the record that the step is done: a later step of the plan may go over the same table.
Task<> RecordWithoutWindows(run::Environment& env, const state::Step& step) {
  auto record = [&]() -> Task<> {
    co_await guard::CheckLease(env.main, env.lease);
    // What a report says of it, once its windows are gone and other steps count their own.
    co_await env.main.db().Query(
        "UPDATE pgalter.step SET spec = spec || jsonb_build_object('done_rows', $3::bigint)"
        " WHERE run = $1 AND ordinal = $2",
        env.run.id, step.ordinal, env.progress.done_rows);
    co_await ForgetWindows(env.main, env.run.id);
    co_await state::RecordStep(env.main, env.lease, step.ordinal, state::StepState::kDone);
  };
  co_await guard::RunInTransaction(env.main, record);
}

}  // namespace

Task<bool> BackfillStep::Done(run::Environment&, const state::Step&) { co_return false; }

Task<> BackfillStep::Do(run::Environment& env, const state::Step& step) {
  // Of a run that is something else besides, the step says what it sets, as of a plan.
  const auto planned = run::PlannedStep(step).backfill;
  const auto triggers = planned ? planned->triggers : plan::Backfill::Triggers::kFire;
  if (!run::IsPlan(env.run) && !planned) {
    co_await DoBackfill(env, triggers);
    co_return;
  }
  state::Run own = co_await SettledRun(env, step);
  run::NameCanaryGate(own, step);
  run::Environment with_own{env.sessions, env.main,     env.observer, env.stopper, env.lease,
                            own,          env.progress, env.control,  env.outside};
  if (FromJson(own.spec).sync == Sync::kOnce) {
    co_await DoOnce(with_own, own, step);
  } else {
    co_await MakeTrigger(with_own, step);
    co_await DoBackfill(with_own, triggers);
  }
  co_await RecordWithoutWindows(env, step);
}

// The trigger that stands for the UPDATE is made together with the record of its beginning, and no
// row is changed before.
Task<bool> BackfillStep::Untouched(run::Environment&, const state::Step& step) {
  const auto planned = run::PlannedStep(step).backfill;
  if (!planned || planned->sync != plan::Backfill::Sync::kOnce) co_return false;
  const auto* settled = step.spec.if_contains("settled");
  co_return settled == nullptr || !FromJson(settled->as_object()).beginning;
}

// Of the rows nothing: what they had is not kept.
Task<> BackfillStep::Undo(run::Environment& env, const state::Step& step) {
  const auto* settled = step.spec.if_contains("settled");
  if (settled == nullptr || !FromJson(settled->as_object()).has_trigger) co_return;
  SyncTriggerStep trigger;
  co_await trigger.Undo(env, step);
}

Task<bool> SyncReleaseStep::Done(run::Environment&, const state::Step&) { co_return false; }

Task<> SyncReleaseStep::Do(run::Environment& env, const state::Step& step) {
  const auto backfill = co_await ItsBackfill(env, step);
  if (!backfill) co_return;
  const lock::LadderOptions options = run::LadderOf(env.run);
  co_await DropSyncTrigger(env, *backfill, options, env.stopper);
}

// What the steps behind it renamed has its name again.
Task<> SyncReleaseStep::Undo(run::Environment& env, const state::Step& step) {
  const auto backfill = co_await ItsBackfill(env, step);
  if (!backfill || !backfill->spec.if_contains("settled")) co_return;
  state::Run own = co_await SettledRun(env, *backfill);
  // An abort is a stop already.
  async::Stopper never;
  run::Environment with_own{env.sessions, env.main,     env.observer, never,      env.lease,
                            own,          env.progress, env.control,  env.outside};
  co_await MakeTrigger(with_own, *backfill);
}

}  // namespace pgalter::backfill
