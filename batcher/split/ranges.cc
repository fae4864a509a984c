#include "batcher/split/ranges.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "batcher/copy/pace.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"

namespace pgalter::split {

namespace json = boost::json;

namespace {

constexpr std::int64_t kCompared = 20'000;
constexpr std::chrono::milliseconds kChunkTime{100};

// Whoever waits for the lock behind it waits for no longer.
constexpr async::Milliseconds kLockWait{500};
constexpr async::Milliseconds kBusyPause{200};

Task<> Compare(run::Environment& env, const plan::Split& split, guard::Session& session,
               const Range& range) {
  pg::Result found;
  auto compare = [&]() -> Task<> {
    // Before the snapshot: a TRUNCATE between the two would look like a difference.
    std::vector<pg::Statement> statements;
    statements.push_back(
        {fmt::format("LOCK TABLE {}, {} IN ACCESS SHARE MODE", split.source, split.target), {}});
    statements.push_back({CompareStatement(split, range.ends()), range.params()});
    auto results = co_await session.db().Pipeline(std::move(statements));
    found = std::move(results.back());
  };
  guard::TransactionOptions options;
  options.lock_timeout = kLockWait;
  co_await guard::RunInTransaction(session, options, compare);
  if (found.empty()) co_return;
  std::vector<std::string> keys;
  for (int i = 0; i < found.rows(); ++i)
    keys.push_back(
        fmt::format("({}) {}", found.Get<std::string>(i, 1), found.Get<std::string>(i, 2)));
  throw run::Failure(
      run::ExitCode::kMismatch,
      fmt::format("{} rows of {} are not in the new table as they should be: {}. Nothing was "
                  "swapped, and no program reads the new table yet. Were triggers of the table "
                  "disabled meanwhile? Else please report it. Then: pgalter revert {} --yes, and "
                  "begin anew",
                  found.Get<std::int64_t>(0, 0), split.source, fmt::join(keys, "; "), env.run.id));
}

// Again and again while somebody has a lock that keeps even readers out.
Task<> ComparePatiently(run::Environment& env, const plan::Split& split, guard::Session& session,
                        const Range& range) {
  for (bool busy = true; busy;) {
    env.stopper.ThrowIfStopping();
    try {
      co_await Compare(env, split, session, range);
      busy = false;
    } catch (const pg::PgError& error) {
      if (error.klass() != pg::SqlstateClass::kLockNotAvailable &&
          error.klass() != pg::SqlstateClass::kRetryable)
        throw;
    }
    if (!busy) break;
    env.progress.note = "somebody holds a lock that keeps readers out; trying again";
    co_await env.stopper.SleepFor(kBusyPause);
  }
  env.progress.note.clear();
}

}  // namespace

Ends Range::ends() const {
  if (lower.empty()) return upper.empty() ? Ends::kNone : Ends::kUpper;
  return upper.empty() ? Ends::kLower : Ends::kBoth;
}

pg::Params Range::params() const {
  pg::Params params;
  for (const Key* key : {&lower, &upper})
    for (const std::string& value : *key) params.Add(value);
  return params;
}

Task<guard::Session> OpenSession(const run::Environment& env) {
  guard::Session session = co_await copy::OpenSession(env);
  co_await session.db().Query(
      "SELECT pg_catalog.set_config('DateStyle', 'ISO', false),"
      " pg_catalog.set_config('IntervalStyle', 'postgres', false),"
      " pg_catalog.set_config('extra_float_digits', '1', false)");
  co_return session;
}

Task<Range> NextRange(guard::Session& session, const plan::Split& split, Key lower,
                      std::int64_t rows) {
  Range range;
  pg::Params params;
  for (const std::string& value : lower) params.Add(value);
  params.Add(rows);
  const Ends ends = lower.empty() ? Ends::kNone : Ends::kLower;
  std::vector<pg::Statement> statements;
  statements.push_back({BoundaryStatement(split, ends), params});
  const auto found = co_await session.db().Pipeline(std::move(statements));
  range.lower = std::move(lower);
  if (!found.front().empty())
    for (int i = 0; i < found.front().columns(); ++i)
      range.upper.push_back(found.front().Get<std::string>(0, i));
  co_return range;
}

state::Run RunWithPace(const run::Environment& env) {
  const run::PlanSpec plan = run::PlanSpecOf(env.run);
  state::Run own = env.run;
  json::object throttle;
  for (const auto& [key, value] : plan.pace.throttle) throttle[key] = value;
  json::object settings;
  for (const auto& [name, value] : plan.settings) settings[name] = value;
  own.spec["workers"] = 1;
  own.spec["chunk_time_ms"] = plan.pace.chunk_time.value_or(kChunkTime).count();
  own.spec["throttle"] = std::move(throttle);
  own.spec["settings"] = std::move(settings);
  return own;
}

plan::Split SplitOfStep(const run::Environment& env, const state::Step& step) {
  auto split = run::PlannedStep(step).split;
  if (!split)
    throw run::Failure(
        run::ExitCode::kError,
        fmt::format("step {} of run {} does not say what it splits", step.id, env.run.id));
  return std::move(*split);
}

Task<> CompareAll(run::Environment& env, const plan::Split& split) {
  guard::Session session = co_await OpenSession(env);
  session.db().set_query_deadline(std::chrono::hours(1));
  auto compare = [&](throttle::Throttle& throttle) -> Task<> {
    Range range;
    do {
      env.stopper.ThrowIfStopping();
      co_await throttle.Admit(env.stopper);
      const auto begun = async::Clock::now();
      range = co_await NextRange(session, split, range.upper, kCompared);
      co_await ComparePatiently(env, split, session, range);
      co_await throttle.After(async::Clock::now() - begun, env.stopper);
    } while (!range.upper.empty());
  };
  const std::function<Task<>(throttle::Throttle&)> body = compare;
  co_await copy::WithThrottle(env, split.source, body);
  async::FailPoint("split-compared");
}

}  // namespace pgalter::split
