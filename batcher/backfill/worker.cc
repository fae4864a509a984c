#include "batcher/backfill/worker.h"

#include <fmt/format.h>

#include <algorithm>

#include "batcher/backfill/bisect.h"
#include "batcher/backfill/horizon.h"
#include "engine/async/fail_point.h"
#include "engine/run/failure.h"

namespace pgalter::backfill {

using run::ExitCode;
using run::Failure;

namespace {

constexpr Milliseconds kTableLockedPause{200};
constexpr Milliseconds kRowLockedPause{100};
constexpr Milliseconds kNoResourcePause{2000};
constexpr int kNoResourceAttempts = 5;
constexpr int kUnreferredAttempts = kNoResourceAttempts;
constexpr std::string_view kForeignKeyViolation = "23503";
constexpr std::size_t kMostQuarantined = 10'000;
constexpr std::int64_t kWindowsPerFold = 64;

// One reading serves all workers: what one of them waits for, all wait for.
Task<> ReadHorizonAtTimes(Crew& crew, Session& session) {
  constexpr Milliseconds kReadEvery{2000};
  if (async::Clock::now() - crew.horizon_read < kReadEvery) co_return;
  crew.horizon = co_await ReadHorizon(session);
  crew.horizon_read = async::Clock::now();
}

// Workers wait side by side, and that is waited once.
Task<> WaitForHorizon(Crew& crew) {
  constexpr Milliseconds kPause{1000};
  const auto begin = async::Clock::now();
  co_await crew.env().stopper.SleepFor(kPause);
  const auto end = async::Clock::now();
  crew.xmin_waited += end - std::max(begin, crew.xmin_waited_until);
  crew.xmin_waited_until = end;
}

// While somebody holds the xmin horizon, striping only costs: waits for it within the budget, then
// goes on plainly, and comes back to stripes when the horizon moves again.
Task<> MindHorizon(Crew& crew, Session& session) {
  constexpr Milliseconds kHeldTooLong{10'000};
  if (!crew.WouldStripe()) co_return;
  run::Progress& progress = crew.env().progress;
  const std::chrono::duration<double> too_long = async::LimitOf("horizon-held", kHeldTooLong);
  bool waited = false;
  for (;;) {
    crew.ThrowIfOver();
    co_await ReadHorizonAtTimes(crew, session);
    const Horizon& horizon = crew.horizon;
    const bool held = horizon.held_s > too_long.count();
    const bool may_wait = crew.pruning && crew.xmin_waited < crew.spec().xmin_wait;
    if (held && may_wait) {
      progress.note = fmt::format("waiting for the xmin horizon, held by {} for {:.0f} s",
                                  horizon.holder, horizon.held_s);
      waited = true;
      co_await WaitForHorizon(crew);
      continue;
    }
    if (waited) progress.note.clear();
    if (held && crew.pruning)
      crew.remark = fmt::format(
          "{} has held the xmin horizon for {:.0f} s, so dead versions cannot be pruned: going on "
          "in plain ranges, with more growth",
          horizon.holder, horizon.held_s);
    if (!held && !crew.pruning) crew.remark = "the xmin horizon moves again: in striped passes";
    crew.pruning = !held;
    co_return;
  }
}

void Split(Group& group, Window& window) {
  Window high = window;
  window.end = window.first + window.blocks() / 2;
  high.first = window.end;
  group.windows.push_back(high);
}

// What a row refers to may be what users change between the chunk's reading and its check: that
// passes.
Task<> AwaitReference(Crew& crew, const Group& group, const BadRow& row) {
  run::Environment& env = crew.env();
  env.progress.note =
      fmt::format("what row {} of {} would refer to is not there, trying again (SQLSTATE {})",
                  row.key, group.leaf.relation.name, row.sqlstate);
  co_await env.stopper.SleepFor(async::LimitOf("no-resource-pause", kNoResourcePause));
  env.progress.note.clear();
}

std::string OrElse(const Spec& spec) {
  if (spec.sync != Sync::kOnce) return "run with --on-error quarantine";
  return "leave the rest as it is: users who change a row that is not done make the same value, "
         "and "
         "fail where it cannot be, until pgalter cleanup takes the trigger away, behind which the "
         "run "
         "cannot go on";
}

// Bad rows of the next pass are put aside, or end the run. The pass counts as done then.
// `unreferred`: how often it met one before that refers to nothing.
Task<ChunkEnd> PutAside(Crew& crew, Session& session, const Group& group, const Window& window,
                        Milliseconds timeout, int& unreferred) {
  const bool stop = crew.spec().on_error == OnError::kStop;
  const ChunkContext context = crew.ContextFor(session);
  const std::size_t most_bad = stop ? 1 : kMostQuarantined;
  const BisectResult found = co_await Bisect(context, group.leaf, window, timeout, most_bad);
  crew.updated += found.updated;
  if (stop && !found.bad.empty()) {
    const BadRow& row = found.bad.front();
    if (row.sqlstate == kForeignKeyViolation && ++unreferred < kUnreferredAttempts) {
      co_await AwaitReference(crew, group, row);
      co_return ChunkEnd::kBadRow;
    }
    throw Failure(
        ExitCode::kError,
        fmt::format(
            "the value for row {} of {} cannot be made or stored: SQLSTATE {}{}{}. The rows "
            "before it are done. Mend that row and go on (pgalter resume {}), or {}",
            row.key, group.leaf.relation.name, row.sqlstate, row.object.empty() ? "" : " on ",
            row.object, crew.env().run.id, OrElse(crew.spec())));
  }
  for (const BadRow& row : found.bad)
    co_await RecordQuarantine(session, crew.env().lease, group.leaf.oid, row.key, row.sqlstate,
                              row.object);
  crew.env().progress.quarantined_rows += static_cast<std::int64_t>(found.bad.size());
  if (found.bad.size() >= kMostQuarantined)
    throw Failure(
        ExitCode::kError,
        fmt::format("{} rows of {} cannot be updated (SQLSTATE {}): that is more than a "
                    "quarantine is for. Their keys are in pgalter.quarantine",
                    found.bad.size(), group.leaf.relation.name, found.bad.front().sqlstate));
  if (found.end != ChunkEnd::kDone) co_return found.end;
  if (group.recording == Recording::kNo) co_return found.end;
  Window after = window;
  ++after.passes;
  auto nothing = []() -> Task<ChunkCounts> { co_return ChunkCounts{}; };
  const ChunkBody body = nothing;
  const ChunkResult recorded = co_await RunChunkBody(context, group.leaf, timeout, body, &after);
  co_return recorded.end;
}

Task<> PassGroup(Crew& crew, Session& session, Group& group) {
  for (;;) {
    bool worked = false;
    // By index: a split adds to the end.
    for (std::size_t i = 0; i < group.windows.size(); ++i) {
      if (group.windows[i].done()) continue;
      worked = true;
      Window window = group.windows[i];
      const PassEnd end = co_await RunPass(crew, session, group, window);
      group.windows[i] = window;
      if (end == PassEnd::kAbandoned) co_return;
      if (window.done()) crew.Finish(group, window);
    }
    if (!worked) co_return;
  }
}

}  // namespace

Task<PassEnd> RunPass(Crew& crew, Session& session, Group& group, Window& window) {
  run::Environment& env = crew.env();
  RowLocks locks = RowLocks::kWait;
  int no_resource = 0;
  int unreferred = 0;
  Milliseconds timeout =
      group.of->size ? group.of->size->statement_timeout() : 2 * crew.spec().chunk_time;
  for (;;) {
    crew.ThrowIfOver();
    co_await crew.throttle().Admit(env.stopper);
    const ChunkContext context = crew.ContextFor(session);
    ChunkResult result =
        co_await RunChunk(context, group.leaf, window, locks, timeout, group.recording);
    crew.Count(result);
    co_await crew.throttle().After(result.work, env.stopper);
    if (result.end == ChunkEnd::kBadRow)
      result.end = co_await PutAside(crew, session, group, window, 10 * timeout, unreferred);
    switch (result.end) {
      case ChunkEnd::kDone: {
        ++window.passes;
        crew.begun_blocks += static_cast<double>(window.blocks()) / window.stripes;
        if (group.of->size) {
          throttle::ChunkOutcome outcome;
          outcome.asked = group.size;
          outcome.rows = result.updated;
          outcome.blocks = window.blocks();
          outcome.duration = result.work;
          group.of->size->Done(outcome);
        }
        if (result.waiting > 0) group.of->waiting.insert(window.first);
        env.progress.waiting_rows += result.waiting;
        co_return PassEnd::kDone;
      }
      case ChunkEnd::kRowLocked:
        if (locks == RowLocks::kSkip) co_await env.stopper.SleepFor(kRowLockedPause);
        if (async::SafeguardOn("skip-locked")) locks = RowLocks::kSkip;
        break;
      case ChunkEnd::kTableLocked:
        env.progress.note =
            fmt::format("{} is locked by somebody's DDL; trying again", group.leaf.relation.name);
        co_await env.stopper.SleepFor(kTableLockedPause);
        env.progress.note.clear();
        break;
      case ChunkEnd::kTooSlow:
        if (group.of->size) group.of->size->Cancelled(group.size);
        if (window.blocks() > 1) {
          const bool recorded = window.passes > 0 && group.recording == Recording::kYes;
          Split(group, window);
          if (recorded)
            co_await RecordSplit(session, env.lease, group.leaf.oid, window, group.windows.back());
        } else {
          timeout *= 2;  // one block is the least: its rows are slow, by a trigger perhaps
        }
        break;
      case ChunkEnd::kNoResource:
        if (++no_resource >= kNoResourceAttempts)
          throw Failure(
              ExitCode::kError,
              fmt::format("the server has no room for more of {}: {} (SQLSTATE {}). What "
                          "is done stays. Make room, then: pgalter resume {}",
                          group.leaf.relation.name, result.message, result.sqlstate, env.run.id));
        env.progress.note = fmt::format(
            "the server is out of a resource, trying again: {} "
            "(SQLSTATE {})",
            result.message, result.sqlstate);
        co_await env.stopper.SleepFor(async::LimitOf("no-resource-pause", kNoResourcePause));
        env.progress.note.clear();
        break;
      case ChunkEnd::kRewritten:
      case ChunkEnd::kRenamed:
        co_await crew.LookAgain(session, group);
        co_return PassEnd::kAbandoned;
      case ChunkEnd::kBadRow:
        break;  // bisected down to a row that is good now, or may be by now: again
    }
  }
}

Task<> RunWorker(Crew& crew, int number) {
  constexpr Milliseconds kRestartPause{100};
  Session session = co_await crew.OpenSession();
  for (;;) {
    crew.ThrowIfOver();
    if (number >= crew.wanted_workers) co_return;
    co_await MindHorizon(crew, session);
    auto group = crew.Take();
    if (!group) {
      if (!crew.restarting()) co_return;
      co_await crew.env().stopper.SleepFor(kRestartPause);
      continue;
    }
    co_await PassGroup(crew, session, *group);
    async::FailPoint("group-done");
    crew.GiveBack(*group);
    LeafWork& leaf = *group->of;
    if (leaf.finished_since_fold < kWindowsPerFold) continue;
    leaf.finished_since_fold = 0;
    co_await FoldWindows(session, crew.env().lease, leaf.leaf.oid);
  }
}

}  // namespace pgalter::backfill
