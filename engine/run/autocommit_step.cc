#include "engine/run/autocommit_step.h"

#include <fmt/format.h>

#include "engine/async/fail_point.h"
#include "engine/lock/ladder_policy.h"
#include "engine/run/concurrent_index.h"
#include "engine/run/failure.h"
#include "engine/run/long_work.h"
#include "engine/run/plan_spec.h"
#include "engine/run/undo.h"
#include "planner/sql/ast/statement.h"

namespace pgalter::run {

namespace {

// What waits without harm, and would leave invalid indexes behind if its wait were cut off.
bool IsConcurrent(const sql::ast::Statement& statement) {
  const auto* reindex = statement.As<sql::ast::Reindex>();
  return reindex != nullptr && reindex->concurrently;
}

// Of these the leftovers are known, and dropped.
bool RebuildsOneRelation(const sql::ast::Statement& statement) {
  const auto* reindex = statement.As<sql::ast::Reindex>();
  return IsConcurrent(statement) && (reindex->kind == sql::ast::ReindexKind::kIndex ||
                                     reindex->kind == sql::ast::ReindexKind::kTable);
}

// False: the lock was not to be had within the attempt.
Task<bool> TryAlone(guard::Session& session, std::string sql, async::Stopper& stopper) {
  bool obtained = true;
  try {
    auto run = [&]() -> Task<> { co_await session.db().Query(sql); };
    co_await UntilAborted(stopper, run());
  } catch (const pg::PgError& error) {
    obtained = error.klass() != pg::SqlstateClass::kLockNotAvailable;
    if (obtained) throw;
  }
  co_return obtained;
}

}  // namespace

Task<> RunAlone(Environment& env, guard::Session& session, std::string sql,
                async::Stopper& stopper) {
  const lock::LadderOptions ladder = PlanSpecOf(env.run).ladder;
  const PatientSession lasting(session);
  const auto statement = sql::ast::ReadStatement(sql);
  const bool patient = statement && IsConcurrent(*statement);
  const async::Milliseconds wait = patient ? async::Milliseconds(0) : ladder.top_attempt;
  co_await session.db().Query("SELECT pg_catalog.set_config('lock_timeout', $1, false)",
                              fmt::format("{}ms", wait.count()));
  const auto give_up = async::Clock::now() + ladder.budget;
  for (;;) {
    stopper.ThrowIfStopping();
    const bool obtained = co_await TryAlone(session, sql, stopper);
    if (obtained) co_return;
    if (async::Clock::now() > give_up)
      throw Failure(ExitCode::kLockNotObtained,
                    fmt::format("the lock for {} was not to be had. See: pgalter locks. Then: "
                                "pgalter resume {}",
                                sql, env.run.id));
    co_await stopper.SleepFor(ladder.pause_max);
  }
}

Task<bool> AutocommitStep::Done(Environment&, const state::Step&) { co_return false; }

Task<> AutocommitStep::Do(Environment& env, const state::Step& step) {
  if (step.sql.size() == 1) {
    const auto statement = sql::ast::ReadStatement(step.sql.front());
    if (statement && RebuildsOneRelation(*statement)) {
      co_await BuildIndex(env, step, step.sql.front(), state::StepState::kDone, env.stopper);
      co_return;
    }
  }
  guard::Session session = co_await OpenAsRole(env);
  for (const std::string& sql : step.sql) {
    co_await RunAlone(env, session, sql, env.stopper);
    async::FailPoint("autocommit-ran");
  }
}

Task<> AutocommitStep::Undo(Environment& env, const state::Step& step) {
  co_await UndoByStatements(env, step);
}

}  // namespace pgalter::run
