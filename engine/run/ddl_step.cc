#include "engine/run/ddl_step.h"

#include <fmt/format.h>

#include "engine/guard/lease.h"
#include "engine/lock/ladder.h"
#include "engine/run/failure.h"

namespace pgalter::run {

Task<bool> DdlStep::Done(Environment&, const state::Step&) {
  co_return false;  // had it been done, it would have been recorded with it
}

Task<> DdlStep::Do(Environment& env, const state::Step& step) {
  lock::Work work;
  for (const std::string& sql : step.sql) work.statements.push_back({sql, {}});
  auto record = [&]() -> Task<> {
    co_await guard::CheckLease(env.main, env.lease);
    co_await state::RecordStep(env.main, env.lease, step.ordinal, state::StepState::kDone);
  };
  work.record = record;
  lock::LadderOptions options;
  if (holding_ == Holding::kAsLongAsItTakes) options.hold_budget = std::chrono::hours(24 * 7);
  const auto tell = [&env](const lock::LadderReport& report) {
    env.progress.note = fmt::format(
        "waiting for a lock, {} attempts so far{}", report.attempts,
        report.last_blockers.empty() ? "" : ": " + lock::Describe(report.last_blockers.front()));
  };
  const lock::LadderOutcome outcome = co_await lock::RunUnderLadder(
      env.main, env.observer, std::move(work), options, env.stopper, tell);
  env.progress.note.clear();
  if (outcome.result == lock::LadderResult::kDone) co_return;
  throw Failure(
      ExitCode::kLockNotObtained,
      fmt::format("step {} of run {} did not get its lock; nothing was changed by it. {} "
                  "Then: pgalter resume {}",
                  step.id, env.run.id, fmt::join(lock::Lines(outcome), "\n"), env.run.id));
}

Task<> DdlStep::Undo(Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::run
