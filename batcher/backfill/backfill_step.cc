#include "batcher/backfill/backfill_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "batcher/backfill/last_scan.h"
#include "batcher/backfill/monitor.h"
#include "batcher/backfill/rights.h"
#include "batcher/backfill/wish.h"
#include "batcher/backfill/worker.h"
#include "engine/async/fail_point.h"
#include "engine/async/finally.h"
#include "engine/async/task_group.h"
#include "engine/run/failure.h"

namespace pgalter::backfill {

using run::ExitCode;
using run::Failure;

namespace {

// The run's own keys, then what an operator has set since.
throttle::ThrottleOptions OptionsFrom(const run::Environment& env, const Spec& spec,
                                      const Table& table) {
  throttle::ThrottleOptions options;
  const auto grace = std::chrono::duration_cast<Milliseconds>(options.policy.grace);
  options.policy.grace = async::LimitOf("throttle-grace", grace);
  options.settings.watch.run = env.run.id;
  options.settings.watch.table = table.name;
  if (spec.table_bytes >= 0) options.settings.watch.table_bytes_at_start = spec.table_bytes;
  for (const auto& [key, value] : spec.throttle) {
    if (const auto refused = throttle::Change(options.settings, key, value))
      throw Failure(ExitCode::kUsage, *refused);
  }
  for (const auto& entry : env.control.throttle) {
    const std::string value = entry.value().as_string().c_str();
    // A refusal is the monitor's to tell: it does not end the run.
    if (!ReadWish(entry.key(), value))
      static_cast<void>(throttle::Change(options.settings, entry.key(), value));
  }
  return options;
}

Task<> StartWatching(throttle::Throttle& throttle) {
  std::optional<Failure> refused;
  try {
    co_await throttle.Start();
  } catch (const throttle::SignalsUnreadable& unreadable) {
    refused.emplace(unreadable.missing_right() ? ExitCode::kUnsupported : ExitCode::kRefused,
                    unreadable.what());
  }
  if (refused) throw *refused;
}

// Its failure is the whole crew's.
Task<> OneForAll(Crew& crew, Task<> task) {
  try {
    co_await std::move(task);
  } catch (...) {
    crew.Fail();
    throw;
  }
}

// As many workers as are wanted, more when the operator asks for more, until all is done.
Task<> CountedWorker(Crew& crew, int number) {
  // Also when it ends by an error: whoever hires waits for the last one.
  struct Counted {
    explicit Counted(int& workers) : count(workers) { ++count; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --count; }
    int& count;
  };
  const Counted counted(crew.active_workers);
  co_await OneForAll(crew, RunWorker(crew, number));
}

Task<> RunWorkers(Crew& crew) {
  static constexpr Milliseconds kLook{200};
  auto hire = [&crew](async::TaskGroup& workers) -> Task<> {
    for (int number = 0;;) {
      for (; number < crew.wanted_workers; ++number) workers.Spawn(CountedWorker(crew, number));
      co_await crew.env().stopper.SleepFor(kLook);
      if (crew.active_workers == 0) co_return;
      number = std::min(number, crew.wanted_workers);
    }
  };
  co_await async::WithTaskGroup(hire);
}

Task<> RunCrew(Crew& crew) {
  co_await crew.Load();
  bool done = false;
  auto phases = [&crew, &done](async::TaskGroup& group) -> Task<> {
    group.Spawn(OneForAll(crew, RunMonitor(crew)));
    co_await RunWorkers(crew);
    crew.env().progress.phase = "last-scan";
    co_await RunLastScan(crew);
    done = true;
    group.Cancel();  // the monitor has no end of its own
  };
  std::exception_ptr failure;
  try {
    co_await async::WithTaskGroup(phases);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure && !(done && async::IsCancellation(failure))) std::rethrow_exception(failure);
}

// The server names what it refused, not what to do about it.
Task<> ThrowWithGrant(run::Environment& env, pg::PgError error) {
  std::string missing = co_await MissingRights(env.main, env.run.relid);
  if (missing.empty()) throw error;
  throw Failure(
      ExitCode::kUnsupported,
      fmt::format("{}. What is done stays. Then: pgalter resume {}", missing, env.run.id));
}

}  // namespace

Task<bool> BackfillStep::Done(run::Environment&, const state::Step&) { co_return false; }

Task<> BackfillStep::Do(run::Environment& env, const state::Step&) {
  const Spec spec = FromJson(env.run.spec);
  const Table table = co_await FindTableByOid(env.main, env.run.relid);
  const Resolved resolved = co_await Recall(env.main, table, spec);
  WorkOrRefusal decided = DecideWork(resolved.columns, resolved.nature, resolved.where);
  if (!decided.work) throw Failure(ExitCode::kRefused, decided.refusal);
  env.progress.total_rows = env.run.total_rows;

  throttle::Throttle throttle(co_await boost::asio::this_coro::executor, env.sessions,
                              OptionsFrom(env, spec, table));
  Crew crew(env, spec, table, resolved, *decided.work, throttle);
  auto work = [&]() -> Task<> {
    co_await StartWatching(throttle);
    co_await RunCrew(crew);
  };
  std::optional<pg::PgError> refused;
  try {
    co_await async::Finally(work(), throttle.Stop());
  } catch (const pg::PgError& error) {
    if (error.klass() != pg::SqlstateClass::kNoRight) throw;
    refused = error;
  }
  if (refused) co_await ThrowWithGrant(env, *refused);
  env.progress.fraction = 1;
  env.progress.done_rows = crew.updated;
  env.progress.total_rows = crew.updated;
}

Task<> BackfillStep::Undo(run::Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::backfill
