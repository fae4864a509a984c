#include "batcher/rebuild/follow.h"

#include <fmt/format.h>

#include <optional>

#include "batcher/capture/crash_mark.h"
#include "batcher/capture/dead_mans_switch.h"
#include "batcher/copy/bad_row.h"
#include "batcher/rebuild/convergence_policy.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"

namespace pgalter::rebuild {

namespace {

constexpr int kMostConflicts = 20;
constexpr async::Milliseconds kPatience{std::chrono::minutes(10)};
constexpr async::Milliseconds kLongestRound{std::chrono::minutes(1)};

[[noreturn]] void ThrowNever(const run::Environment& env, const capture::Flow& flow,
                             const Convergence& convergence) {
  throw run::Failure(
      run::ExitCode::kError,
      fmt::format(
          "users change {} faster than it can be followed: {:.0f} different rows a second, "
          "of which {:.0f} are carried over. Nobody was blocked, and what is done stays; the "
          "log grows with every change until the run goes on or is aborted. At a quieter "
          "time: pgalter resume {}; or: pgalter abort {} --yes",
          flow.source_names(), convergence.coming(), convergence.followed(), env.run.id,
          env.run.id));
}

// Everything in one snapshot where rows of different moments would meet.
Task<capture::Round> OneRound(guard::Session& session, const capture::Flow& flow,
                              const guard::Lease& lease, bool exactly) {
  if (!exactly) co_return co_await capture::CatchUp(session, flow, lease, kLongestRound);
  capture::Round round;
  round.applied = co_await MatchExactly(session, flow, lease);
  round.taken = round.applied;
  round.whole = true;
  co_return round;
}

}  // namespace

Task<std::int64_t> MatchExactly(guard::Session& session, const capture::Flow& flow,
                                const guard::Lease& lease) {
  std::int64_t applied = 0;
  auto drain = [&]() -> Task<> {
    co_await guard::CheckLease(session, lease);
    applied = co_await capture::Drain(session, flow);
  };
  guard::TransactionOptions options;
  if (async::SafeguardOn("one-snapshot")) options.isolation = guard::Isolation::kRepeatableRead;
  co_await guard::RunInTransaction(session, options, drain);
  co_return applied;
}

Task<std::int64_t> Follow(run::Environment& env, async::Stopper& stopper, guard::Session& session,
                          const capture::Flow& flow, std::int64_t enough) {
  co_await capture::RefuseEmptied(session, flow);
  co_await capture::RefuseGivenUp(session, flow);
  std::int64_t all = 0;
  int conflicts = 0;
  ConvergenceOptions limits;
  limits.enough = enough;
  limits.patience = async::LimitOf("follow-without-progress", kPatience);
  Convergence convergence(limits);
  for (;;) {
    stopper.ThrowIfStopping();
    const auto begun = async::Clock::now();
    capture::Round round;
    // Values that move from row to row (a swap under a unique index) can meet a row whose own
    // change was not in the batch.
    std::optional<pg::PgError> conflict;
    try {
      round = co_await OneRound(session, flow, env.lease, conflicts > 0);
    } catch (const pg::PgError& error) {
      if (error.klass() != pg::SqlstateClass::kData) throw;
      conflict = error;
    }
    if (conflict) {
      const bool meets = conflict->Is("23505") || conflict->Is("23P01");
      if (meets && ++conflicts <= kMostConflicts) continue;
      const auto bad = co_await capture::FindBadKey(session, flow, env.lease);
      if (bad) copy::ThrowBadRow(flow, env.run.id, bad->key, bad->error);
      continue;
    }
    conflicts = 0;
    async::FailPoint("round-done");
    env.progress.waiting_rows = round.applied;
    all += round.applied;
    FollowedRound followed;
    followed.taken = round.taken;
    followed.applied = round.applied;
    followed.whole = round.whole;
    followed.took = std::chrono::duration_cast<async::Milliseconds>(async::Clock::now() - begun);
    const Verdict verdict = convergence.After(followed);
    if (verdict == Verdict::kNever) ThrowNever(env, flow, convergence);
    if (verdict == Verdict::kClose) break;
  }
  env.progress.waiting_rows = 0;
  co_return all;
}

}  // namespace pgalter::rebuild
