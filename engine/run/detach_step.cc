#include "engine/run/detach_step.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/async/deadline.h"
#include "engine/async/fail_point.h"
#include "engine/lock/blocker.h"
#include "engine/run/failure.h"
#include "engine/run/finalize_detach.h"
#include "engine/run/plan_spec.h"
#include "engine/run/standby_readers.h"
#include "engine/run/transact.h"
#include "engine/run/undo.h"
#include "planner/sql/ast/statement.h"

namespace pgalter::run {

namespace {

// Longer than the first half needs where nobody is in the way, shorter than users mind the second.
constexpr async::Milliseconds kFirstHalf{400};
// Belongs to those who have queued behind it, as between two attempts of the ladder.
constexpr async::Milliseconds kBetweenHalves{200};

enum class Attachment { kAttached, kPending, kDetached };

struct Pair {
  std::string parent;
  std::string partition;
};

Pair PairOf(const Environment& env, const state::Step& step) {
  const auto statement = sql::ast::ReadStatement(step.sql.at(0));
  const auto* alter = statement ? statement->As<sql::ast::AlterTable>() : nullptr;
  if (alter == nullptr || alter->commands.size() != 1 || !alter->commands.front().other)
    throw Failure(ExitCode::kError,
                  fmt::format("step {} of run {} is no DETACH PARTITION", step.id, env.run.id));
  return {sql::ToString(alter->name), sql::ToString(*alter->commands.front().other)};
}

std::string Detach(const Pair& pair) {
  return fmt::format("ALTER TABLE {} DETACH PARTITION {}", pair.parent, pair.partition);
}

std::string IsPending(const Pair& pair) {
  return fmt::format(
      "{1} is half detached: its rows are not found through {0} any more, and the server takes "
      "that back for nobody",
      pair.parent, pair.partition);
}

Task<Attachment> Look(guard::Session& session, const Pair& pair) {
  const pg::Result row = co_await session.db().Query(
      "SELECT inhdetachpending FROM pg_catalog.pg_inherits"
      " WHERE inhparent = pg_catalog.to_regclass($1)::oid"
      " AND inhrelid = pg_catalog.to_regclass($2)::oid",
      pair.parent, pair.partition);
  if (row.empty()) co_return Attachment::kDetached;
  co_return row.Get<bool>(0, 0) ? Attachment::kPending : Attachment::kAttached;
}

Task<bool> HasDefaultPartition(guard::Session& session, const Pair& pair) {
  const pg::Result row = co_await session.db().Query(
      "SELECT EXISTS (SELECT FROM pg_catalog.pg_partitioned_table"
      " WHERE partrelid = pg_catalog.to_regclass($1)::oid AND partdefid <> 0)",
      pair.parent);
  co_return row.Get<bool>(0, 0);
}

enum class FirstHalf { kEnded, kNoLock, kTooLong };

// Ends by itself, by our deadline, or by the lock's timeout; what it did is in the catalog.
Task<FirstHalf> TryFirstHalf(guard::Session& session, const std::string& sql,
                             async::Milliseconds limit) {
  co_await session.db().Query("SELECT pg_catalog.set_config('lock_timeout', $1, false)",
                              fmt::format("{}ms", kFirstHalf.count()));
  try {
    auto half = [&]() -> Task<> { co_await session.db().Query(sql); };
    co_await async::WithDeadline(half(), limit);
  } catch (const async::DeadlineExceeded&) {
    co_return FirstHalf::kTooLong;
  } catch (const pg::PgError& error) {
    const bool expected = error.klass() == pg::SqlstateClass::kLockNotAvailable ||
                          error.klass() == pg::SqlstateClass::kRetryable;
    if (!expected) throw;
    co_return FirstHalf::kNoLock;
  }
  co_return FirstHalf::kEnded;
}

}  // namespace

Task<bool> DetachStep::Done(Environment& env, const state::Step& step) {
  guard::Session session = co_await OpenAsRole(env);
  const Pair pair = PairOf(env, step);
  const Attachment now = co_await Look(session, pair);
  co_return now == Attachment::kDetached;
}

Task<> DetachStep::Do(Environment& env, const state::Step& step) {
  const Pair pair = PairOf(env, step);
  guard::Session session = co_await OpenAsRole(env);
  const std::string detach = Detach(pair);
  const bool beside_default = co_await HasDefaultPartition(session, pair);
  const std::vector<std::string> at_once{detach};
  const std::vector<Leaving> leaving = co_await LeavingBy(env, session, referrers_, at_once);
  const std::string why_slow = co_await WhySlowIs(env, session, referrers_, at_once);
  // What somebody has begun is ended: its rows are not seen any more.
  const Attachment then = co_await Look(session, pair);
  if (then == Attachment::kAttached && (beside_default || !leaving.empty())) {
    Transacted what;
    what.sql = at_once;
    auto nobody_refers = [&]() -> Task<> { co_await RefuseReferred(env, referrers_, leaving); };
    what.body = nobody_refers;
    what.why_slow = why_slow;
    co_await Transact(env, step, std::move(what), env.stopper);
    co_return;
  }
  // Its second half may get its lock at once; FINALIZE, where that is left, asks again.
  const std::string remark = co_await AwaitStandbyReadersOf(env, env.stopper, step);
  if (!remark.empty()) env.progress.remark = remark;
  Attachment now = co_await Look(session, pair);
  const lock::LadderOptions ladder = PlanSpecOf(env.run).ladder;
  const auto give_up = async::Clock::now() + ladder.budget;
  // Where others refer to the table the server looks for them in it, and who writes them waits. A
  // lock that is not to be had ends it before.
  async::Milliseconds limit = kFirstHalf;
  if (!why_slow.empty())
    limit = async::LimitOf("hold-budget", std::max(kFirstHalf * 3 / 2, ladder.hold_budget));
  int too_long = 0;
  while (now == Attachment::kAttached) {
    env.stopper.ThrowIfStopping();
    const FirstHalf half = co_await TryFirstHalf(session, step.sql.at(0), limit);
    async::FailPoint("detach-pending");
    now = co_await Look(session, pair);
    if (now == Attachment::kPending) co_await env.stopper.SleepFor(kBetweenHalves);
    if (now != Attachment::kAttached) break;
    too_long += half == FirstHalf::kTooLong && !why_slow.empty() ? 1 : 0;
    if (too_long >= ladder.hold_overruns)
      throw Failure(ExitCode::kLockNotObtained,
                    fmt::format("{} was not at its end after {}, {} times, and was taken back; "
                                "nothing was changed.{} Those who write there wait meanwhile; if "
                                "they may for longer, say so with --hold-budget. Then: pgalter "
                                "resume {}",
                                detach, lock::HumanAge(limit), too_long, why_slow, env.run.id));
    if (async::Clock::now() > give_up)
      throw Failure(ExitCode::kLockNotObtained,
                    fmt::format("the lock for {} was not to be had. See: pgalter locks. Then: "
                                "pgalter resume {}",
                                detach, env.run.id));
    co_await env.stopper.SleepFor(std::chrono::seconds(1));
  }
  if (now == Attachment::kDetached) co_return;
  co_await FinalizeDetach(env, step, detach, IsPending(pair), state::StepState::kDone, env.stopper);
}

Task<bool> DetachStep::Untouched(Environment& env, const state::Step& step) {
  guard::Session session = co_await OpenAsRole(env);
  const Pair pair = PairOf(env, step);
  const Attachment now = co_await Look(session, pair);
  co_return now == Attachment::kAttached;
}

// A detach that is pending cannot be taken back by the server: it is ended, then attached again.
Task<> DetachStep::Undo(Environment& env, const state::Step& step) {
  const Pair pair = PairOf(env, step);
  guard::Session session = co_await OpenAsRole(env);
  const Attachment now = co_await Look(session, pair);
  if (now == Attachment::kAttached || step.undo.empty()) co_return;
  if (now == Attachment::kPending) {
    async::Stopper never;
    std::string detach = Detach(pair);
    co_await FinalizeDetach(env, step, std::move(detach), IsPending(pair), state::StepState::kDone,
                            never);
  }
  co_await UndoByStatements(env, step);
}

}  // namespace pgalter::run
