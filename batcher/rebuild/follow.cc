#include "batcher/rebuild/follow.h"

#include <fmt/format.h>

#include <optional>

#include "batcher/capture/crash_mark.h"
#include "batcher/capture/dead_mans_switch.h"
#include "batcher/copy/bad_row.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"

namespace pgalter::rebuild {

namespace {

constexpr int kMostConflicts = 20;
constexpr int kMostRoundsWithoutProgress = 50;

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
  int rounds = 0;
  std::int64_t fewest = -1;
  for (;;) {
    stopper.ThrowIfStopping();
    std::int64_t applied = 0;
    // Values that move from row to row (a swap under a unique index) can meet a row whose own
    // change was not in the batch.
    std::optional<pg::PgError> conflict;
    try {
      if (conflicts > 0) {
        applied = co_await MatchExactly(session, flow, env.lease);
      } else {
        applied = (co_await capture::CatchUp(session, flow, env.lease)).applied;
      }
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
    env.progress.waiting_rows = applied;
    all += applied;
    if (applied <= enough) break;
    if (fewest < 0 || applied < fewest) {
      fewest = applied;
      rounds = 0;
    } else if (++rounds > kMostRoundsWithoutProgress) {
      throw run::Failure(
          run::ExitCode::kError,
          fmt::format("users change {} faster than it can be followed: {} keys in the last round, "
                      "and never fewer than {}. What is done stays. At a quieter time: pgalter "
                      "resume {}",
                      flow.from, applied, fewest, env.run.id));
    }
  }
  env.progress.waiting_rows = 0;
  co_return all;
}

}  // namespace pgalter::rebuild
