#include "engine/lock/ladder.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>

#include "engine/async/fail_point.h"
#include "engine/lock/blocker_policy.h"
#include "engine/lock/human_attempts.h"

namespace pgalter::lock {

namespace {

using async::Clock;

std::function<double()> RandomJitter() {
  return [engine = std::minstd_rand(std::random_device{}())]() mutable {
    return std::uniform_real_distribution<double>(0, 1)(engine);
  };
}

// A test that stops the work under its lock, until somebody waits behind it, needs longer; one that
// waits until all attempts are spent, less.
LadderOptions Limited(LadderOptions options) {
  options.budget = async::LimitOf("lock-budget", options.budget);
  options.hold_budget = async::LimitOf("hold-budget", options.hold_budget);
  return options;
}

Task<Milliseconds> DeadlockTimeout(guard::Session& session) {
  const pg::Result setting = co_await session.db().Query(
      "SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'");
  co_return Milliseconds(setting.Get<std::int32_t>(0, 0));
}

Event EventOf(AttemptEnd end) {
  switch (end) {
    case AttemptEnd::kDeadlock:
      return Event::kDeadlock;
    case AttemptEnd::kHoldOverrun:
      return Event::kHoldOverrun;
    case AttemptEnd::kDone:
    case AttemptEnd::kLockNotAvailable:
      break;
  }
  return Event::kLockNotAvailable;
}

void Add(const AttemptReport& attempt, LadderReport* report) {
  ++report->attempts;
  report->deadlocks += attempt.end == AttemptEnd::kDeadlock ? 1 : 0;
  report->hold_overruns += attempt.end == AttemptEnd::kHoldOverrun ? 1 : 0;
  report->waited += attempt.waited;
  if (attempt.end == AttemptEnd::kDone || attempt.end == AttemptEnd::kHoldOverrun)
    report->held = attempt.held;
  report->longest_blocked = std::max(report->longest_blocked, attempt.waited + attempt.held);
  report->most_queued_behind = std::max(report->most_queued_behind, attempt.seen.queued_behind);
  if (!attempt.seen.blockers.empty()) report->last_blockers = attempt.seen.blockers;
  report->observer_error = attempt.observer_error;
  report->refusal = attempt.refusal;
}

std::string InWords(Termination done, const Blocker& blocker) {
  switch (done) {
    case Termination::kTerminated:
      return "terminated: " + Describe(blocker);
    case Termination::kNoRight:
      return fmt::format("pid {} may not be terminated by this role (GRANT pg_signal_backend)",
                         blocker.session.pid);
    case Termination::kNotIdleAnyMore:
      break;
  }
  return fmt::format("pid {} was left alone: not idle in that transaction any more",
                     blocker.session.pid);
}

class Climb {
 public:
  Climb(guard::Session& session, guard::Session& observer, Work work, LadderOptions options,
        async::Stopper& stopper, OnRetry on_retry)
      : session_(session),
        observer_(observer),
        work_(std::move(work)),
        options_(Limited(options)),
        stopper_(stopper),
        on_retry_(std::move(on_retry)),
        ladder_(options_, RandomJitter()) {}

  Task<LadderOutcome> Run() {
    now_.deadlock_timeout = co_await DeadlockTimeout(session_);
    Event event = Event::kStart;
    for (;;) {
      stopper_.ThrowIfStopping();
      now_.elapsed = Elapsed();
      const Action action = ladder_.Next(event, now_);
      if (const auto* attempt = std::get_if<Attempt>(&action)) {
        const AttemptEnd end = co_await Try(attempt->lock_timeout);
        if (end == AttemptEnd::kDone) break;
        event = EventOf(end);
      } else if (const auto* pause = std::get_if<Pause>(&action)) {
        co_await ActOnBlockers();
        outcome_.report.elapsed = Elapsed();
        if (on_retry_) on_retry_(outcome_.report);
        co_await stopper_.SleepFor(pause->duration);
        event = Event::kPaused;
      } else {
        outcome_.result = event == Event::kHoldOverrun ? LadderResult::kHoldOverrun
                                                       : LadderResult::kLockNotAvailable;
        outcome_.report.elapsed = Elapsed();
        co_return std::move(outcome_);
      }
    }
    outcome_.result = LadderResult::kDone;
    outcome_.report.elapsed = Elapsed();
    co_return std::move(outcome_);
  }

 private:
  Task<AttemptEnd> Try(Milliseconds lock_timeout) {
    if (work_.ahead) co_await work_.ahead();
    const AttemptLimits limits{lock_timeout, options_.hold_budget};
    const AttemptReport attempt = co_await RunAttempt(session_, observer_, work_, limits);
    Add(attempt, &outcome_.report);
    now_.only_autovacuum = OnlyAutovacuum(attempt.seen.blockers);
    co_return attempt.end;
  }

  Task<> ActOnBlockers() {
    for (const Blocker& blocker : outcome_.report.last_blockers) {
      if (ActionOn(blocker, options_) != BlockerAction::kTerminate) continue;
      if (!acted_on_.insert(blocker.session.pid).second) continue;
      const Termination done =
          co_await TerminateIdle(observer_, blocker.session, options_.idle_for);
      outcome_.report.actions.push_back(InWords(done, blocker));
    }
  }

  Milliseconds Elapsed() const {
    return std::chrono::duration_cast<Milliseconds>(Clock::now() - began_);
  }

  guard::Session& session_;
  guard::Session& observer_;
  const Work work_;
  const LadderOptions options_;
  async::Stopper& stopper_;
  const OnRetry on_retry_;
  Ladder ladder_;
  Situation now_;
  const Clock::time_point began_ = Clock::now();
  std::set<int> acted_on_;
  LadderOutcome outcome_;
};

std::string Summary(const LadderOutcome& outcome) {
  const LadderReport& report = outcome.report;
  const std::string tries =
      fmt::format("{} in {}", HumanAttempts(report.attempts), HumanAge(report.elapsed));
  switch (outcome.result) {
    case LadderResult::kDone:
      return fmt::format(
          "lock obtained: {}, held for {}, others were blocked for at most {} at a time", tries,
          HumanAge(report.held), HumanAge(report.longest_blocked));
    case LadderResult::kHoldOverrun:
      return fmt::format(
          "the work held its lock for longer than the hold budget and was rolled back {} times "
          "({})",
          report.hold_overruns, tries);
    case LadderResult::kLockNotAvailable:
      break;
  }
  return fmt::format(
      "lock not obtained: {}, nothing was changed; others were blocked for at most {} at a time",
      tries, HumanAge(report.longest_blocked));
}

}  // namespace

std::string WhoIsInTheWay(const LadderReport& report) {
  if (!report.refusal.empty()) return report.refusal;
  return report.last_blockers.empty() ? "" : Describe(report.last_blockers.front());
}

std::vector<std::string> Lines(const LadderOutcome& outcome) {
  const LadderReport& report = outcome.report;
  std::vector<std::string> lines{Summary(outcome)};
  lines.insert(lines.end(), report.actions.begin(), report.actions.end());
  const bool over = outcome.result == LadderResult::kDone;
  for (const Blocker& blocker : report.last_blockers)
    lines.push_back((over ? "was in the way: " : "in the way: ") + Describe(blocker));
  if (!report.refusal.empty()) lines.push_back("in the way: " + report.refusal);
  if (report.most_queued_behind > 0)
    lines.push_back(
        fmt::format("sessions that queued behind us: up to {}", report.most_queued_behind));
  if (!report.observer_error.empty())
    lines.push_back("who was in the way is not known: " + report.observer_error);
  return lines;
}

Task<LadderOutcome> RunUnderLadder(guard::Session& session, guard::Session& observer, Work work,
                                   LadderOptions options, async::Stopper& stopper,
                                   OnRetry on_retry) {
  Climb climb(session, observer, std::move(work), options, stopper, std::move(on_retry));
  co_return co_await climb.Run();
}

}  // namespace pgalter::lock
