#include "engine/lock/attempt.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>

#include "engine/async/deadline.h"
#include "engine/async/task_group.h"
#include "engine/guard/transaction.h"

namespace pgalter::lock {

namespace {

using async::Clock;
using pg::SqlstateClass;

constexpr Milliseconds kShortestPoll{20};
constexpr Milliseconds kObserverLimit{1000};
constexpr Milliseconds kPollOfLastingWork{250};
constexpr Milliseconds kWatchedClosely{2000};
constexpr Milliseconds kUnwatched{10'000};
// The lock of several relations may wait for each of them; all together get hardly more than one.
constexpr Milliseconds kLockStatementSlack{50};
constexpr Milliseconds kFrozenClientSlack{1000};

// Of users' tables the server lets go before it unlinks the files of what was dropped, which takes
// it tens of milliseconds for each gigabyte, and then answers COMMIT. Of this lock it lets go right
// after those: the observer waits for it, and knows when users went on. Nobody else should have it;
// where somebody has, the answer counts.
constexpr const char* kTakeMark =
    "SELECT pg_catalog.pg_try_advisory_xact_lock(1885823340, pg_catalog.pg_backend_pid())";
constexpr const char* kAwaitMark = "SELECT pg_catalog.pg_advisory_xact_lock_shared(1885823340, $1)";

// In the middle of the work, past the attempt's length, while somebody waits behind it.
struct WaitOverrun : std::runtime_error {
  WaitOverrun() : std::runtime_error("the work waited for one more lock while users waited") {}
};
struct HoldOverrun : std::runtime_error {
  HoldOverrun() : std::runtime_error("the lock was held for longer than its budget") {}
};

pg::Statement SetLocal(const char* setting, Milliseconds value) {
  return {"SELECT pg_catalog.set_config($1, $2, true)",
          pg::Params::Of(setting, fmt::format("{}ms", value.count()))};
}

Milliseconds Between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration_cast<Milliseconds>(to - from);
}

class AttemptRun {
 public:
  AttemptRun(guard::Session& session, guard::Session& observer, const Work& work,
             AttemptLimits limits, const boost::asio::any_io_executor& executor)
      : session_(session),
        observer_(observer),
        work_(work),
        limits_(limits),
        end_of_wait_(executor),
        began_(Clock::now()) {}

  Task<AttemptReport> Run() {
    auto spawn_both = [this](async::TaskGroup& group) -> Task<> {
      group.Spawn(Transact());
      group.Spawn(Watch());
      co_return;
    };
    co_await async::WithTaskGroup(spawn_both);
    Judge();
    co_return std::move(report_);
  }

 private:
  Task<> Transact() {
    guard::TransactionOptions options;
    options.lock_timeout = limits_.lock_timeout;
    options.statement_timeout = FirstTimeout();
    options.isolation = work_.isolation;
    options.durability = work_.durability;
    auto body = [this]() { return InTransaction(); };
    try {
      co_await guard::RunInTransaction(session_, options, body);
    } catch (...) {
      failure_ = std::current_exception();
    }
    ended_ = Clock::now();
    end_of_wait_.cancel();
  }

  Task<> InTransaction() {
    co_await UpToCommit();
    committing_ = true;
    end_of_wait_.cancel();
  }

  Task<> UpToCommit() {
    if (work_.before) co_await work_.before();
    std::optional<LockRequest> lock = work_.lock;
    if (lock && work_.views) lock->views = co_await work_.views();
    asked_ = true;
    std::vector<pg::Statement> opening;
    opening.push_back(SetLocal("idle_in_transaction_session_timeout",
                               limits_.lock_timeout + limits_.hold_budget + kFrozenClientSlack));
    if (lock) {
      opening.push_back({LockStatement(*lock), {}});
      const Milliseconds timeout = HasBudget() ? limits_.hold_budget : Milliseconds(0);
      opening.push_back(SetLocal("statement_timeout", timeout));
      opening.push_back({kTakeMark, {}});
    }
    began_ = Clock::now();
    const auto opened = co_await session_.db().Pipeline(std::move(opening));
    if (work_.lock) obtained_ = Clock::now();
    marked_ = work_.lock && opened.back().Get<bool>(0, 0);

    if (!HasBudget()) {
      co_await PayloadUntilInTheWay();
      co_return;
    }
    const Clock::time_point overrun = (obtained_ ? *obtained_ : began_) + PayloadLimit();
    auto payload = PayloadUntilInTheWay();
    co_await async::WithDeadline(std::move(payload), PayloadLimit());
    if (Clock::now() > overrun) throw HoldOverrun();
  }

  // Whichever ends first ends the other; a cancellation is never the reason.
  Task<> PayloadUntilInTheWay() {
    std::exception_ptr failure;
    auto both = [&](async::TaskGroup& group) -> Task<> {
      group.Spawn(AwaitInTheWay());
      group.Spawn(PayloadThenEnd(group, failure));
      co_return;
    };
    std::exception_ptr others;
    try {
      co_await async::WithTaskGroup(both);
    } catch (...) {
      others = std::current_exception();
    }
    const bool ours = others && !async::IsCancellation(others);
    if (ours && async::IsCancellation(failure)) failure = others;
    if (failure) std::rethrow_exception(failure);
  }

  Task<> PayloadThenEnd(async::TaskGroup& group, std::exception_ptr& failure) {
    try {
      co_await Payload();
    } catch (...) {
      failure = std::current_exception();
    }
    group.Cancel();
  }

  Task<> AwaitInTheWay() const {
    for (;;) {
      co_await async::SleepFor(kShortestPoll);
      if (in_the_way_) throw HoldOverrun();
      if (waits_too_long_) throw WaitOverrun();
    }
  }

  Task<> Payload() {
    if (!work_.statements.empty()) co_await session_.db().Pipeline(work_.statements);
    if (work_.body) co_await work_.body();
    if (work_.record) co_await work_.record();
  }

  // Before the attempt's length is over, then often, because a statement that takes several locks
  // may wait for each of them as long as for the first.
  Milliseconds NextLook() const {
    const Milliseconds so_far = Between(began_, Clock::now());
    if (so_far > limits_.lock_timeout + kWatchedClosely) return kPollOfLastingWork;
    if (so_far > limits_.lock_timeout) return HasBudget() ? kShortestPoll : kPollOfLastingWork;
    return std::max(limits_.lock_timeout / 2, kShortestPoll);
  }

  // Looks while the attempt waits, since afterwards nobody is in the way of anything any more.
  Task<> Watch() {
    while (!ended_ && !committing_) {
      end_of_wait_.expires_after(NextLook());
      const auto [error] =
          co_await end_of_wait_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
      if (ended_ || committing_) break;
      if (error) throw boost::system::system_error(error);
      if (!asked_) continue;  // what comes before looks by the same session
      co_await Look();
      if (!HasBudget() && !ended_) co_await LookInTheWayOf();
    }
    if (marked_) co_await AwaitRelease();
  }

  // The answer of COMMIT comes later, or hardly later.
  Task<> AwaitRelease() {
    try {
      while (!ended_ && !released_) co_await AwaitMark();
    } catch (const pg::PgError&) {
    }
  }

  Task<> AwaitMark() {
    try {
      auto waiting = observer_.db().Query(kAwaitMark, session_.server_pid());
      co_await async::WithDeadline(std::move(waiting), kObserverLimit);
      released_ = Clock::now();
    } catch (const async::DeadlineExceeded&) {
    }
  }

  // Work without a budget that nobody can watch is ended as if somebody waited.
  Task<> LookInTheWayOf() {
    const auto now = Clock::now();
    try {
      auto looking = LookInTheWay(observer_, session_.server_pid());
      const InTheWay seen = co_await async::WithDeadline(std::move(looking), kObserverLimit);
      last_watched_ = now;
      if (!seen.stops_users) stops_users_since_.reset();
      if (seen.stops_users && !stops_users_since_) stops_users_since_ = now;
      const auto stopping =
          stops_users_since_ ? Between(*stops_users_since_, now) : Milliseconds(0);
      felt_ = std::max({felt_, seen.longest_wait, stopping});
    } catch (const pg::PgError& error) {
      report_.observer_error = error.what();
    } catch (const async::DeadlineExceeded& error) {
      report_.observer_error = error.what();
    }
    in_the_way_ = felt_ >= limits_.hold_budget ||
                  Between(last_watched_, Clock::now()) > limits_.hold_budget + kUnwatched;
  }

  // Not seeing the blockers is no reason to fail: the attempt is bounded all the same.
  Task<> Look() {
    const auto now = Clock::now();
    try {
      auto finding = FindBlockers(observer_, session_.server_pid());
      Blockage seen = co_await async::WithDeadline(std::move(finding), kObserverLimit);
      const int most_queued = std::max(seen.queued_behind, report_.seen.queued_behind);
      if (!seen.blockers.empty()) {
        last_seen_waiting_ = now;
        waits_too_long_ = seen.queued_behind > 0 && Between(began_, now) > limits_.lock_timeout;
        report_.seen = std::move(seen);
      }
      report_.seen.queued_behind = most_queued;
      report_.observer_error.clear();
    } catch (const pg::PgError& error) {
      report_.observer_error = error.what();
    } catch (const async::DeadlineExceeded& error) {
      report_.observer_error = error.what();
    }
  }

  bool HasBudget() const { return work_.ending == Ending::kAtBudget; }
  Milliseconds FirstTimeout() const {
    if (!HasBudget() && !work_.lock) return Milliseconds(0);  // none
    return limits_.lock_timeout + (work_.lock ? kLockStatementSlack : limits_.hold_budget);
  }
  Milliseconds PayloadLimit() const {
    return limits_.hold_budget + (work_.lock ? Milliseconds{0} : limits_.lock_timeout);
  }

  void Judge() {
    report_.end = EndOf();
    if (report_.end == AttemptEnd::kLockNotAvailable && !asked_) report_.refusal = Refusal();
    const bool had_lock =
        obtained_ || report_.end == AttemptEnd::kDone || report_.end == AttemptEnd::kHoldOverrun;
    const auto had_since = obtained_.value_or(std::max(began_, last_seen_waiting_));
    // Before it was asked for nobody stood behind it.
    if (asked_ || had_lock) report_.waited = Between(began_, had_lock ? had_since : *ended_);
    const auto had_until = std::min(*ended_, released_.value_or(*ended_));
    if (had_lock) report_.held = HasBudget() ? Between(had_since, had_until) : felt_;
  }

  // Rethrows what is not about locks.
  AttemptEnd EndOf() const {
    if (!failure_) return AttemptEnd::kDone;
    try {
      std::rethrow_exception(failure_);
    } catch (const HoldOverrun&) {
      return AttemptEnd::kHoldOverrun;
    } catch (const WaitOverrun&) {
      return AttemptEnd::kLockNotAvailable;
    } catch (const async::DeadlineExceeded&) {
      if (!PayloadOverran()) throw;  // a deadline of the body's own
      return AttemptEnd::kHoldOverrun;
    } catch (const pg::PgError& error) {
      if (error.klass() == SqlstateClass::kLockNotAvailable) return AttemptEnd::kLockNotAvailable;
      if (error.Is(pg::sqlstate::kDeadlock)) return AttemptEnd::kDeadlock;
      if (error.klass() != SqlstateClass::kCancelled) throw;
      // A timeout of ours, or somebody's pg_cancel_backend? Only the clock tells, not even the
      // text: a timeout that ends together with what it was for leaves its signal to the next
      // statement, which says "due to user request" (postgres.c, ProcessInterrupts).
      if (PayloadOverran()) return AttemptEnd::kHoldOverrun;
      const bool short_work = HasBudget() || (work_.lock && !obtained_);
      if (!short_work || Between(began_, *ended_) < limits_.lock_timeout) throw;
      return AttemptEnd::kLockNotAvailable;
    }
  }

  // Why the lock was not even asked for.
  std::string Refusal() const {
    try {
      std::rethrow_exception(failure_);
    } catch (const pg::PgError& error) {
      return error.fields().message;
    } catch (const std::exception& error) {
      return error.what();
    }
  }

  bool PayloadOverran() const {
    if (!HasBudget()) return false;  // that is HoldOverrun itself
    if (work_.lock && !obtained_) return false;
    return Between(obtained_.value_or(began_), *ended_) >= PayloadLimit();
  }

  guard::Session& session_;
  guard::Session& observer_;
  const Work& work_;
  const AttemptLimits limits_;
  boost::asio::steady_timer end_of_wait_;
  Clock::time_point began_;
  Clock::time_point last_seen_waiting_;
  Clock::time_point last_watched_ = Clock::now();
  std::optional<Clock::time_point> stops_users_since_;
  Milliseconds felt_{0};  // by users, of work without a budget
  bool in_the_way_ = false;
  bool waits_too_long_ = false;
  bool asked_ = false;  // for a lock
  bool marked_ = false;
  bool committing_ = false;
  std::optional<Clock::time_point> released_;  // users' tables, as the observer saw it
  std::optional<Clock::time_point> obtained_;
  std::optional<Clock::time_point> ended_;
  std::exception_ptr failure_;
  AttemptReport report_;
};

}  // namespace

Task<AttemptReport> RunAttempt(guard::Session& session, guard::Session& observer, const Work& work,
                               AttemptLimits limits) {
  AttemptRun run(session, observer, work, limits, co_await boost::asio::this_coro::executor);
  co_return co_await run.Run();
}

}  // namespace pgalter::lock
