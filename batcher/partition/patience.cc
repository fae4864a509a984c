#include "batcher/partition/patience.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>
#include <random>

#include "engine/async/deadline.h"
#include "engine/async/fail_point.h"
#include "engine/async/task_group.h"
#include "engine/lock/blockers.h"
#include "engine/run/failure.h"
#include "engine/run/long_work.h"

namespace pgalter::partition {

namespace {

using async::Milliseconds;

constexpr Milliseconds kObserverLimit{1000};

double Jitter() {
  static std::minstd_rand engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

lock::LadderOptions Options() {
  lock::LadderOptions options;
  options.budget = async::LimitOf("lock-budget", options.budget);
  return options;
}

class Looking {
 public:
  Looking(Session& session, Session& observer, std::function<Task<>()> look, lock::OnRetry on_retry)
      : session_(session),
        observer_(observer),
        look_(std::move(look)),
        on_retry_(std::move(on_retry)),
        ladder_(Options(), &Jitter) {}

  // False: it was not to be had within the budget.
  Task<bool> Run() {
    const run::PatientSession patient(session_);
    const pg::Result setting = co_await session_.db().Query(
        "SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'");
    lock::Situation now;
    now.deadlock_timeout = Milliseconds(setting.Get<std::int32_t>(0, 0));
    lock::Event event = lock::Event::kStart;
    for (;;) {
      now.elapsed = Elapsed();
      const lock::Action action = ladder_.Next(event, now);
      if (const auto* attempt = std::get_if<lock::Attempt>(&action)) {
        const bool done = co_await Try(attempt->lock_timeout);
        if (done) co_return true;
        event = lock::Event::kLockNotAvailable;
      } else if (const auto* pause = std::get_if<lock::Pause>(&action)) {
        if (on_retry_) on_retry_(outcome_.report);
        co_await async::SleepFor(pause->duration);
        event = lock::Event::kPaused;
      } else {
        outcome_.report.elapsed = Elapsed();
        co_return false;
      }
    }
  }

  [[nodiscard]] const lock::LadderOutcome& outcome() const { return outcome_; }

 private:
  Task<bool> Try(Milliseconds lock_timeout) {
    ++outcome_.report.attempts;
    co_await LimitWaits(lock_timeout);
    std::exception_ptr failure;
    auto both = [&](async::TaskGroup& group) -> Task<> {
      group.Spawn(LookThenEnd(group, failure));
      group.Spawn(Watch(lock_timeout / 2));
      co_return;
    };
    try {
      co_await async::WithTaskGroup(both);
    } catch (...) {
      if (!failure && !async::IsCancellation(std::current_exception()))
        failure = std::current_exception();
    }
    const bool kept_out = WasKeptOut(failure);
    if (failure && !kept_out) std::rethrow_exception(failure);
    co_await LimitWaits(Milliseconds(0));
    if (kept_out)
      outcome_.report.longest_blocked = std::max(outcome_.report.longest_blocked, lock_timeout);
    co_return !kept_out;
  }

  Task<> LimitWaits(Milliseconds limit) {
    co_await session_.db().Query("SELECT pg_catalog.set_config('lock_timeout', $1, false)",
                                 fmt::format("{}ms", limit.count()));
  }

  Task<> LookThenEnd(async::TaskGroup& group, std::exception_ptr& failure) {
    try {
      co_await look_();
    } catch (...) {
      failure = std::current_exception();
    }
    group.Cancel();
  }

  // While it waits: afterwards nobody is in the way of anything any more.
  Task<> Watch(Milliseconds first) {
    for (;;) {
      co_await async::SleepFor(first);
      try {
        auto finding = lock::FindBlockers(observer_, session_.server_pid());
        const lock::Blockage seen =
            co_await async::WithDeadline(std::move(finding), kObserverLimit);
        if (!seen.blockers.empty()) outcome_.report.last_blockers = seen.blockers;
      } catch (const pg::PgError& error) {
        outcome_.report.observer_error = error.what();
      } catch (const async::DeadlineExceeded& error) {
        outcome_.report.observer_error = error.what();
      }
    }
  }

  [[nodiscard]] bool WasKeptOut(const std::exception_ptr& failure) const {
    if (!failure || !session_.open()) return false;
    try {
      std::rethrow_exception(failure);
    } catch (const pg::PgError& error) {
      return error.klass() == pg::SqlstateClass::kLockNotAvailable;
    } catch (...) {
      return false;
    }
  }

  [[nodiscard]] Milliseconds Elapsed() const {
    return std::chrono::duration_cast<Milliseconds>(async::Clock::now() - began_);
  }

  Session& session_;
  Session& observer_;
  const std::function<Task<>()> look_;
  const lock::OnRetry on_retry_;
  lock::Ladder ladder_;
  const async::Clock::time_point began_ = async::Clock::now();
  lock::LadderOutcome outcome_;
};

}  // namespace

Task<> LookPatiently(Session& session, Session& observer, std::string tried,
                     std::function<Task<>()> look, lock::OnRetry on_retry) {
  Looking looking(session, observer, std::move(look), std::move(on_retry));
  const bool done = co_await looking.Run();
  if (done) co_return;
  throw run::Failure(
      run::ExitCode::kLockNotObtained,
      fmt::format("cannot {}: somebody keeps even readers from what has to be looked at before. "
                  "{}. Once that has ended, do it again",
                  tried, fmt::join(lock::Lines(looking.outcome()), "\n")));
}

}  // namespace pgalter::partition
