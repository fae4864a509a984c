#include "batcher/backfill/chunk.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "batcher/backfill/once.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"

namespace pgalter::backfill {

namespace {

constexpr int kRoundTrips = 5;  // BEGIN, the checks, the rows, the record, COMMIT

enum class Stage { kTable, kRows, kCommit };

// What the error of a chunk's statement means; nullopt: nobody expected it.
std::optional<ChunkEnd> Expected(const pg::PgError& error, Stage stage) {
  switch (error.klass()) {
    case pg::SqlstateClass::kLockNotAvailable:
    case pg::SqlstateClass::kRetryable:
      return stage == Stage::kTable ? ChunkEnd::kTableLocked : ChunkEnd::kRowLocked;
    case pg::SqlstateClass::kCancelled:
      return ChunkEnd::kTooSlow;
    case pg::SqlstateClass::kData:
      return ChunkEnd::kBadRow;
    case pg::SqlstateClass::kNoResource:
      return ChunkEnd::kNoResource;
    default:
      break;
  }
  if (error.Is(pg::sqlstate::kUndefinedTable) && stage == Stage::kTable) return ChunkEnd::kRenamed;
  return std::nullopt;
}

std::vector<pg::Statement> Checks(const ChunkContext& context, const Leaf& leaf) {
  std::vector<pg::Statement> checks;
  checks.push_back({"SELECT FROM pgalter.lease WHERE run = $1 AND epoch = $2 FOR SHARE",
                    pg::Params::Of(context.lease.run, context.lease.epoch)});
  checks.push_back(
      {fmt::format("LOCK TABLE ONLY {} IN ROW EXCLUSIVE MODE", leaf.relation.name), {}});
  // The lock is held now: what these say stays true until the end of the transaction.
  checks.push_back(
      {"SELECT pg_catalog.to_regclass($1)::oid = $2, pg_catalog.pg_relation_filenode($2) = $3",
       pg::Params::Of(leaf.relation.name, leaf.oid, leaf.filenode)});
  if (context.beginning) checks.push_back(IsIntact(*context.beginning, context.table, leaf.oid));
  if (!context.firing.may_fire)
    checks.push_back(FindFiring(leaf.oid, context.columns, context.firing));
  if (context.firing.silent) {
    checks.push_back(FindUnchecked(leaf.oid, context.columns));
    checks.push_back(KeepSilent());
  }
  return checks;
}

[[noreturn]] void RefuseSince(const Leaf& leaf, const std::string& what) {
  throw run::Failure(
      run::ExitCode::kRefused,
      fmt::format(
          "cannot fill rows of {}: {}, which came, or was switched on, since the run began. "
          "What is done stays. Drop or disable it until the run is over, and resume that",
          leaf.relation.name, what));
}

// A trigger of users would fire, or a key would not be checked.
void RefuseFiring(const std::vector<pg::Result>& results, const ChunkContext& context,
                  const Leaf& leaf) {
  std::size_t at = context.beginning ? 4 : 3;
  if (!context.firing.may_fire)
    if (const auto names = results.at(at++).Get<std::string>(0, 0); !names.empty())
      RefuseSince(leaf,
                  fmt::format("each would fire {}, where the statement fires no trigger", names));
  if (context.firing.silent)
    if (const auto names = results.at(at).Get<std::string>(0, 0); !names.empty())
      RefuseSince(leaf, fmt::format("they would not be checked against {}", names));
}

ChunkEnd JudgeChecks(const std::vector<pg::Result>& results, const ChunkContext& context,
                     const Leaf& leaf) {
  if (results.at(0).empty() && async::SafeguardOn("lease")) throw guard::LeaseLost(context.lease);
  if (!results.at(2).Get<bool>(0, 0)) return ChunkEnd::kRenamed;
  if (context.beginning) {
    if (!IsLeafStill(results.at(3))) return ChunkEnd::kRenamed;
    const std::string why = WhyNotIntact(results.at(3), leaf, context.lease.run);
    if (!why.empty() && async::SafeguardOn("once-intact"))
      throw run::Failure(run::ExitCode::kMismatch, why);
  }
  if (!results.at(2).Get<bool>(0, 1) && async::SafeguardOn("filenode")) return ChunkEnd::kRewritten;
  RefuseFiring(results, context, leaf);
  return ChunkEnd::kDone;
}

}  // namespace

std::int64_t CountUpdated(const pg::Result& result, const Work& work, const Leaf& leaf) {
  if (!work.must_become_false) return result.affected();
  const auto again = result.Get<std::int64_t>(0, 1);
  if (again > 0)
    throw run::Failure(
        run::ExitCode::kRefused,
        fmt::format("{} rows of {} meet the condition still after the value was set, and would be "
                    "worked on again without end; that chunk was rolled back. Give a --where that "
                    "is false once the value is set",
                    again, leaf.relation.name));
  return result.Get<std::int64_t>(0, 0);
}

Task<ChunkResult> RunChunkBody(const ChunkContext& context, const Leaf& leaf,
                               Milliseconds statement_timeout, const ChunkBody& body,
                               const Window* after) {
  const auto begun = async::Clock::now();
  Session& session = context.session;
  Stage stage = Stage::kTable;
  ChunkResult result;

  auto transaction = [&]() -> Task<> {
    const auto checks = co_await session.db().Pipeline(Checks(context, leaf));
    result.end = JudgeChecks(checks, context, leaf);
    if (result.end != ChunkEnd::kDone) co_return;
    stage = Stage::kRows;
    async::FailPoint("chunk-checked");
    const ChunkCounts counts = co_await body();
    async::FailPoint("chunk-updated");
    stage = Stage::kCommit;
    result.updated = counts.updated;
    result.waiting = counts.waiting;
    if (after != nullptr)
      co_await RecordWindow(session, context.lease, leaf.oid, *after, counts.updated);
    async::FailPoint("chunk-recorded");
  };

  guard::TransactionOptions options;
  options.durability = guard::Durability::kLazy;
  options.lock_timeout = kLockWait;
  options.statement_timeout = statement_timeout;
  try {
    co_await guard::RunInTransaction(session, options, transaction);
    async::FailPoint("chunk-committed");
  } catch (const pg::PgError& error) {
    const auto expected = Expected(error, stage);
    if (!expected) throw;
    result = ChunkResult{};
    result.end = *expected;
    result.sqlstate = error.sqlstate();
    result.object = error.fields().object;
    if (result.end == ChunkEnd::kNoResource) result.message = error.fields().message;
  }
  result.duration = async::Clock::now() - begun;
  result.work =
      std::max(result.duration - kRoundTrips * session.round_trip(), async::Clock::duration(0));
  co_return result;
}

Task<ChunkResult> RunChunk(const ChunkContext& context, const Leaf& leaf, const Window& window,
                           RowLocks locks, Milliseconds statement_timeout, Recording recording) {
  const ChunkShape shape{StripeOf(window.stripes, window.passes, leaf.shape), locks};
  Window after = window;
  ++after.passes;
  const std::string from = Tid(window.first);
  const std::string to = Tid(window.end);
  auto body = [&]() -> Task<ChunkCounts> {
    pg::Connection& db = context.session.db();
    const pg::Result updated = co_await db.Query(
        UpdateStatement(leaf.relation, context.columns, context.work, shape), from, to);
    ChunkCounts counts;
    counts.updated = CountUpdated(updated, context.work, leaf);
    if (locks == RowLocks::kSkip) {
      const pg::Result left =
          co_await db.Query(CountStatement(leaf.relation, context.work, shape), from, to);
      counts.waiting = left.Get<std::int64_t>(0, 0);
    }
    co_return counts;
  };
  const ChunkBody run_body = body;
  const Window* record = recording == Recording::kYes ? &after : nullptr;
  co_return co_await RunChunkBody(context, leaf, statement_timeout, run_body, record);
}

}  // namespace pgalter::backfill
