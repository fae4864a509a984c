#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "batcher/copy/pace.h"
#include "batcher/split/ranges.h"
#include "batcher/split/shape.h"
#include "batcher/split/steps.h"
#include "batcher/throttle/chunk_size_policy.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/canary.h"
#include "engine/run/failure.h"
#include "engine/run/meter.h"

namespace pgalter::split {

namespace json = boost::json;

namespace {

// A chunk holds its rows: whoever holds one of them would keep others waiting through it.
constexpr async::Milliseconds kLockWait{50};
constexpr async::Milliseconds kBusyPause{200};

constexpr const char* kFrom = "copied_below";  // the key, as texts; where the next chunk begins
constexpr const char* kRows = "copied_rows";

enum class ChunkEnd { kDone, kBusy, kTooSlow };

struct Job {
  run::Environment& env;
  guard::Session& session;
  plan::Split split;
  state::Step step;  // its spec says how far the copy is
  throttle::ChunkSizePolicy size;
  std::optional<std::int64_t> canary;  // how many rows may be copied; nullopt: all
};

Key KeyFrom(const state::Step& step) {
  Key key;
  if (const auto* from = step.spec.if_contains(kFrom))
    for (const json::value& value : from->as_array()) key.emplace_back(value.as_string().c_str());
  return key;
}

std::int64_t RowsFrom(const state::Step& step) {
  const auto* rows = step.spec.if_contains(kRows);
  return rows == nullptr ? 0 : rows->to_number<std::int64_t>();
}

// The rows and the record of them in one transaction, which a crash keeps or loses together.
Task<ChunkEnd> CopyChunk(Job& job, const Range& range, std::int64_t& rows) {
  guard::Session& session = job.session;
  state::Step after = job.step;
  auto chunk = [&]() -> Task<> {
    co_await guard::CheckLease(session, job.env.lease);
    async::FailPoint("split-checked");
    const auto copied = co_await session.db().QueryParams(CopyStatement(job.split, range.ends()),
                                                          range.params(), pg::Format::kText);
    rows = copied.affected();
    json::array from;
    for (const std::string& value : range.upper) from.emplace_back(value);
    after.spec[kFrom] = std::move(from);
    after.spec[kRows] = RowsFrom(job.step) + rows;
    async::FailPoint("split-copied");
    co_await state::RecordSpec(session, job.env.lease, after);
  };
  guard::TransactionOptions options;
  options.durability = guard::Durability::kLazy;
  options.lock_timeout = kLockWait;
  options.statement_timeout = job.size.statement_timeout();
  ChunkEnd end = ChunkEnd::kDone;
  try {
    co_await guard::RunInTransaction(session, options, chunk);
    async::FailPoint("split-committed");
    job.step = std::move(after);
  } catch (const pg::PgError& error) {
    const bool busy = error.klass() == pg::SqlstateClass::kLockNotAvailable ||
                      error.klass() == pg::SqlstateClass::kRetryable;
    if (!busy && error.klass() != pg::SqlstateClass::kCancelled) throw;
    end = busy ? ChunkEnd::kBusy : ChunkEnd::kTooSlow;
  }
  co_return end;
}

// By the server's estimate. Keys go in their order, so blocks say nothing here.
Task<std::int64_t> EstimateRows(const Job& job) {
  const pg::Result all = co_await job.session.db().Query(
      "SELECT COALESCE(sum(reltuples) FILTER (WHERE reltuples > 0), 0)::float8 FROM pg_class"
      " WHERE relkind <> 'p' AND oid IN (SELECT relid FROM pg_partition_tree($1::regclass) WHERE "
      "isleaf"
      "               UNION ALL SELECT $1::regclass)",
      job.split.source);
  co_return std::llround(all.Get<double>(0, 0));
}

// At least one.
std::int64_t CanaryRows(const Job& job, std::int64_t all) {
  const double share = run::CanaryOf(job.env.run) * static_cast<double>(all);
  return std::max<std::int64_t>(static_cast<std::int64_t>(std::ceil(share)), 1);
}

void ShowShare(run::Progress& progress) {
  if (progress.total_rows <= 0) return;
  progress.fraction = std::min(
      1.0, static_cast<double>(progress.done_rows) / static_cast<double>(progress.total_rows));
}

Task<> CopyAll(Job& job, throttle::Throttle& throttle) {
  run::Progress& progress = job.env.progress;
  Key lower = KeyFrom(job.step);
  progress.done_rows = RowsFrom(job.step);
  for (;;) {
    ShowShare(progress);
    job.env.stopper.ThrowIfStopping();
    if (job.canary && progress.done_rows >= *job.canary) run::RestAtCanary(job.env);
    co_await throttle.Admit(job.env.stopper);
    throttle::ChunkOutcome outcome;
    outcome.asked = job.size.Next();
    if (job.canary)
      outcome.asked.rows = std::min(outcome.asked.rows, *job.canary - progress.done_rows);
    const Range range = co_await NextRange(job.session, job.split, lower, outcome.asked.rows);
    const auto begun = async::Clock::now();
    const ChunkEnd end = co_await CopyChunk(job, range, outcome.rows);
    if (end != ChunkEnd::kDone) job.size.Cancelled(outcome.asked);
    if (end == ChunkEnd::kBusy) {
      progress.note = "somebody holds a row of the next chunk, or the table; trying again";
      co_await job.env.stopper.SleepFor(kBusyPause);
    }
    if (end != ChunkEnd::kDone) continue;
    progress.note.clear();
    outcome.blocks = outcome.asked.blocks;
    outcome.duration = async::Clock::now() - begun;
    job.size.Done(outcome);
    progress.done_rows += outcome.rows;
    run::CountChunk(progress, outcome.duration, outcome.rows);
    co_await throttle.After(outcome.duration, job.env.stopper);
    if (range.upper.empty()) co_return;
    lower = range.upper;
  }
}

// Snapshots from before this moment do not see all rows of the new table.
Task<> RecordEnd(Job& job) {
  auto record = [&]() -> Task<> {
    co_await guard::CheckLease(job.session, job.env.lease);
    const pg::Result now =
        co_await job.session.db().Query("SELECT pg_catalog.pg_current_xact_id()::text");
    job.step.spec["copied_at"] = now.Get<std::string>(0, 0);
    co_await state::RecordSpec(job.session, job.env.lease, job.step);
  };
  co_await guard::RunInTransaction(job.session, record);
}

Task<> Copy(run::Environment& env, const state::Step& step, const plan::Split& split) {
  guard::Session session = co_await OpenSession(env);
  throttle::ChunkSizeOptions size;
  size.target = copy::PaceOf(env).chunk_time;
  Job job{env, session, split, step, throttle::ChunkSizePolicy(size), std::nullopt};
  env.progress.total_rows = co_await EstimateRows(job);
  if (run::InCanary(env.run, env.control)) job.canary = CanaryRows(job, env.progress.total_rows);
  auto copy = [&](throttle::Throttle& throttle) -> Task<> { co_await CopyAll(job, throttle); };
  const std::function<Task<>(throttle::Throttle&)> body = copy;
  co_await copy::WithThrottle(env, split.source, body);
  co_await RecordEnd(job);
  // What follows, and programs after the swap, plan by its statistics.
  session.db().set_query_deadline(std::chrono::hours(1));
  co_await session.db().Query(fmt::format("ANALYZE {}", split.target));
  async::FailPoint("split-all-copied");
}

}  // namespace

Task<bool> CopyStep::Done(run::Environment&, const state::Step&) { co_return false; }

Task<> CopyStep::Do(run::Environment& env, const state::Step& step) {
  const plan::Split split = SplitOfStep(env, step);
  state::Run own = RunWithPace(env);
  run::NameCanaryGate(own, step);
  run::Environment with_own{env.sessions, env.main,     env.observer, env.stopper, env.lease,
                            own,          env.progress, env.control,  env.outside};
  if (async::SafeguardOn("split-shape")) co_await CheckShape(env, split);
  if (!step.spec.contains("copied_at")) co_await Copy(with_own, step, split);
  co_await CompareAll(with_own, split);
}

Task<> CopyStep::Undo(run::Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::split
