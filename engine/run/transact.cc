#include "engine/run/transact.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/async/fail_point.h"
#include "engine/guard/lease.h"
#include "engine/lock/human_attempts.h"
#include "engine/run/failure.h"
#include "engine/run/long_work.h"
#include "engine/run/plan_spec.h"
#include "engine/run/standby_readers.h"

namespace pgalter::run {

namespace {

// Users' statements mean what they meant to the role that made the run; what follows is ours.
lock::Work WorkOf(const PlanSpec& spec, const std::vector<std::string>& sql) {
  lock::Work work;
  for (const auto& [name, value] : spec.settings)
    work.statements.push_back(
        {"SELECT pg_catalog.set_config($1, $2, true)", pg::Params::Of(name, value)});
  for (const std::string& statement : sql) work.statements.push_back({statement, {}});
  work.statements.push_back({"SET LOCAL search_path = pg_catalog", {}});
  return work;
}

// By what the plan knows; what a function does is seen while it does it.
bool StopsNobody(const state::Step& step) {
  const plan::Step planned = PlannedStep(step);
  // What shares its transaction with another step has more locks than its plan names.
  if (planned.sql.size() != step.sql.size()) return false;
  return std::ranges::none_of(planned.locks, [](const plan::StepLock& lock) {
    return locks::BlocksReads(lock.mode) || locks::BlocksWrites(lock.mode);
  });
}

std::string Refused(const Environment& env, const state::Step& step,
                    const lock::LadderOutcome& outcome, const PlanSpec& spec,
                    const Transacted& what) {
  const std::string advice =
      outcome.result == lock::LadderResult::kHoldOverrun
          ? fmt::format(
                "{} Users wait while it holds its lock; if they may wait for longer than {}, "
                "say so with --hold-budget",
                what.why_slow, lock::HumanAge(spec.ladder.hold_budget))
          : "";
  return fmt::format("step {} of run {} did not come to its end; {}. {}.{} Then: pgalter resume {}",
                     step.id, env.run.id,
                     what.so_far.empty() ? "nothing was changed by it" : what.so_far,
                     fmt::join(lock::Lines(outcome), "\n"), advice, env.run.id);
}

}  // namespace

std::string WaitingFor(const lock::LadderReport& report) {
  const std::string why = lock::WhoIsInTheWay(report);
  return fmt::format("waiting for a lock, {} so far{}{}", lock::HumanAttempts(report.attempts),
                     why.empty() ? "" : ": ", why);
}

Task<> Transact(Environment& env, const state::Step& step, Transacted what,
                async::Stopper& stopper) {
  const PlanSpec spec = PlanSpecOf(env.run);
  lock::Work work = WorkOf(spec, what.sql);
  auto record = [&]() -> Task<> {
    async::FailPoint("ddl-unrecorded");
    if (!async::SafeguardOn("step-record")) co_return;
    co_await guard::CheckLease(env.main, env.lease);
    co_await state::RecordStep(env.main, env.lease, step.ordinal, what.becomes);
    async::FailPoint("ddl-uncommitted");
  };
  work.record = record;
  work.before = std::move(what.before);
  work.body = std::move(what.body);
  work.isolation = what.isolation;
  lock::LadderOptions options = spec.ladder;
  const bool lasting = what.holding == Holding::kAsLongAsItTakes;
  if (lasting) options.hold_budget = kLongestStatement;
  const bool harmless = !lasting && what.becomes == state::StepState::kDone && StopsNobody(step);
  if (harmless) work.ending = lock::Ending::kWhenInTheWay;
  std::string remark;
  // Steps that are none of a plan do not say which locks they take.
  if (!lasting && (!harmless || !IsPlan(env.run)))
    remark = co_await AwaitStandbyReadersOf(env, stopper, step);
  const auto tell = [&env](const lock::LadderReport& report) {
    env.progress.note = WaitingFor(report);
  };
  lock::LadderOutcome outcome;
  auto climb = [&]() -> Task<> {
    outcome = co_await lock::RunUnderLadder(env.main, env.observer, std::move(work), options,
                                            stopper, tell);
  };
  if (lasting || harmless) {
    const PatientSession patient(env.main);
    co_await UntilAborted(stopper, climb());
  } else {
    co_await climb();
  }
  env.progress.note.clear();
  if (!remark.empty()) env.progress.remark = remark;
  async::FailPoint("ddl-committed");
  if (outcome.result == lock::LadderResult::kDone) co_return;
  throw Failure(ExitCode::kLockNotObtained, Refused(env, step, outcome, spec, what));
}

}  // namespace pgalter::run
