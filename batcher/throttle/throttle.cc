#include "batcher/throttle/throttle.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <functional>
#include <utility>

#include "batcher/throttle/locked_out.h"
#include "engine/run/failure.h"
#include "engine/run/meter.h"
#include "engine/watch/lock_waits.h"
#include "engine/watch/signals.h"
#include "engine/watch/standbys.h"

namespace pgalter::throttle {

namespace asio = boost::asio;
using async::Clock;

namespace {

constexpr Clock::duration kLongestPause = std::chrono::seconds(10);
// Whoever rests looks this often whether it may go on sooner.
constexpr Clock::duration kLookAtRatio = std::chrono::milliseconds(200);
// Watching has no right to give up: the run decides when it has waited long enough.
constexpr async::Milliseconds kReconnectForEver = std::chrono::hours(24 * 365);
constexpr int kRoundsAtStart = 3;

bool AllReadable(const std::vector<watch::Reading>& readings) {
  return std::all_of(readings.begin(), readings.end(),
                     [](const watch::Reading& reading) { return reading.readable(); });
}

std::string Refusal(const std::vector<watch::Reading>& readings) {
  std::string text = "the pace cannot be kept safe: ";
  std::string waivers;
  const char* separator = "";
  for (const watch::Reading& reading : readings) {
    if (reading.readable()) continue;
    text += separator + watch::Describe(reading);
    waivers += fmt::format(" --without-signal {}", reading.signal);
    separator = "; ";
  }
  return text + ". Make it readable, or go on without it:" + waivers;
}

// For who watches the run. Standbys are not read in every round: what was seen last stands.
void NoteStandbys(const watch::Memory& memory, const watch::WatchOptions& options) {
  constexpr std::string_view kLag = "replay-lag-seconds";
  auto& standbys = run::Meter::OfThisProcess().standbys;
  if (options.without.contains(kLag)) standbys.clear();
  if (!memory.round_standbys) return;
  const auto general = options.limits.find(kLag);
  const double limit =
      general == options.limits.end() ? watch::FindSignal(kLag)->default_limit : general->second;
  standbys.clear();
  for (const watch::StandbyLag& lag : memory.round_standbys->lags) {
    const auto own = options.standby_limits.find(lag.name);
    const double its_limit = own == options.standby_limits.end() ? limit : own->second;
    standbys.push_back({lag.name, lag.seconds, lag.bytes, its_limit});
  }
}

// Whoever keeps the history of lock waits need not ask the server again.
void NoteLockWaits(const watch::Memory& memory) {
  if (!memory.round_waits) return;
  const watch::LockWaits& waits = *memory.round_waits;
  const bool anybody = waits.for_us > 0 || waits.blocked > 0 || waits.ours > 0;
  run::Meter::OfThisProcess().lock_look = run::LockLook{Clock::now(), anybody};
}

void NoteSignals(const std::vector<watch::Reading>& readings) {
  constexpr double kOnItsWay = 0.4;  // from there on the pace does not grow
  run::Meter& meter = run::Meter::OfThisProcess();
  meter.signals.clear();
  for (const watch::Reading& reading : readings) {
    if (reading.signal == "commit-latency" && reading.seen == watch::Seen::kMeasured)
      meter.commit_ms = reading.value;
    const double share = reading.readable() ? reading.utilisation() : 1;
    if (share >= kOnItsWay) meter.signals.push_back({watch::Describe(reading), share});
  }
  std::ranges::sort(meter.signals, std::greater<>(), &run::SignalNow::utilisation);
}

}  // namespace

SignalsUnreadable::SignalsUnreadable(std::vector<watch::Reading> readings)
    : std::runtime_error(Refusal(readings)), readings_(std::move(readings)) {}

bool SignalsUnreadable::missing_right() const {
  return std::any_of(readings_.begin(), readings_.end(), [](const watch::Reading& reading) {
    return reading.seen == watch::Seen::kMissingRight;
  });
}

Clock::duration PauseAfter(Clock::duration work, double ratio) {
  if (ratio >= 1 || work <= Clock::duration::zero()) return Clock::duration::zero();
  if (ratio <= 0) return kLongestPause;
  const std::chrono::duration<double> pause =
      std::chrono::duration<double>(work) * ((1 - ratio) / ratio);
  return std::min(kLongestPause, std::chrono::duration_cast<Clock::duration>(
                                     std::min(pause, std::chrono::duration<double>(3600))));
}

Throttle::Throttle(asio::any_io_executor executor, guard::SessionOptions session,
                   ThrottleOptions options)
    : session_options_(watch::WatchingSession(std::move(session))),
      options_(std::move(options)),
      policy_(options_.policy),
      replicas_(options_.settings.watch, memory_, session_options_),
      reconnect_(kReconnectForEver),
      open_(executor, asio::steady_timer::time_point::max()),
      group_(executor) {
  policy_.SetCeiling(options_.settings.ceiling);
  options_.settings.watch.at_their_rates = true;
}

Task<std::string> Throttle::WhoKeepsUsOut() {
  const std::string& table = options_.settings.watch.table;
  if (!session_.open() || table.empty()) co_return "";
  try {
    co_return co_await WhoLocksOut(session_, table);
  } catch (const pg::PgError&) {
    co_return "";  // then the signals tell what is wrong
  }
}

Task<> Throttle::Start(Stopper& stopper, std::string& note) {
  std::vector<watch::Reading> readings;
  const auto patient_until = Clock::now() + options_.patience;
  for (int round = 1;;) {
    stopper.ThrowIfStopping();
    if (!session_.open()) session_ = co_await guard::Session::Open(session_options_);
    replicas_.Inherit(session_.db().user(), session_.db().database());
    co_await replicas_.LookOnce();
    readings = co_await watch::ReadAll(session_, options_.settings.watch, memory_);
    if (AllReadable(readings)) break;
    SignalsUnreadable refusal(readings);
    const std::string keeper = co_await WhoKeepsUsOut();
    // A connection that was lost meanwhile says nothing about the signals.
    const bool last = keeper.empty() && round++ >= kRoundsAtStart && session_.open();
    if (refusal.missing_right() || last) throw refusal;
    if (!keeper.empty()) {
      note = "waiting for a table that nobody may read: " + keeper;
      if (Clock::now() >= patient_until)
        throw run::Failure(run::ExitCode::kLockNotObtained,
                           fmt::format("the work has not begun: its table could not be read for {} "
                                       "s: {}. Go on once that has ended",
                                       options_.patience.count() / 1000, keeper));
    }
    co_await stopper.SleepFor(options_.interval);
  }
  note.clear();
  Judge(std::move(readings));
  replicas_.Follow(group_, options_.interval);
  group_.Spawn(Watch());
}

// A cancel that finds a session cancelling its own statement is lost (finally.h).
Task<> Throttle::Stop() {
  stops_ = true;
  replicas_.Leave();
  group_.Cancel();
  try {
    co_await group_.Join();
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted) throw;
  }
  session_.db().Close();
}

Task<> Throttle::Watch() {
  while (!stops_) {
    co_await async::SleepFor(options_.interval);
    replicas_.Follow(group_, options_.interval);
    co_await Round();
  }
}

Task<> Throttle::Round() {
  if (!session_.open()) co_await Reconnect();
  if (!session_.open()) {
    Judge(watch::NothingReadable(options_.settings.watch, trouble_));
    co_return;
  }
  budget_.Begin();
  auto readings = co_await watch::ReadAll(session_, options_.settings.watch, memory_);
  if (!session_.open()) trouble_ = "the watching connection was lost";
  Judge(std::move(readings));
}

Task<> Throttle::Reconnect() {
  if (Clock::now() < next_attempt_) co_return;
  try {
    session_ = co_await guard::Session::Open(session_options_);
    trouble_.clear();
    reconnect_.Reset();
    co_return;
  } catch (const pg::PgError& error) {
    trouble_ = fmt::format("the watching connection is lost: {}", error.what());
  }
  next_attempt_ = Clock::now() + reconnect_.Next().value_or(options_.interval);
}

void Throttle::Judge(std::vector<watch::Reading> readings) {
  readings_ = std::move(readings);
  if (options_.more)
    for (watch::Reading& reading : options_.more()) readings_.push_back(std::move(reading));
  policy_.Step(readings_, Clock::now());
  gate_.Note(memory_, options_.settings.watch);
  budget_.Note(readings_);
  NoteStandbys(memory_, options_.settings.watch);
  NoteLockWaits(memory_);
  NoteSignals(readings_);
  WakeIfOpen();
}

Verdict Throttle::verdict() const {
  const auto now = Clock::now();
  Verdict verdict = policy_.At(now);
  if (verdict.ratio <= 0) return verdict;
  auto why = gate_.WhyShut(now);
  if (!why) why = budget_.WhyShut();
  if (!why) return verdict;
  verdict.action = Action::kStop;
  verdict.utilisation = std::max(1.0, verdict.utilisation);
  verdict.ratio = 0;
  verdict.reason = *why;
  for (const watch::Reading& reading : readings_)
    if (!reading.readable() && why->starts_with(reading.signal))
      verdict.reason = watch::Describe(reading);
  return verdict;
}

void Throttle::WakeIfOpen() {
  if (ratio() > 0) open_.cancel();
}

Task<> Throttle::Admit(Stopper& stopper) {
  stopper.ThrowIfStopping();
  while (ratio() <= 0) {
    co_await WaitUntilOpen(stopper);
    stopper.ThrowIfStopping();
  }
}

// Two wake-ups, the stopper's and ours; whichever comes first ends the other's wait.
Task<> Throttle::WaitUntilOpen(Stopper& stopper) {
  const auto executor = co_await asio::this_coro::executor;
  auto stopped = asio::co_spawn(executor, stopper.SleepFor(std::chrono::hours(24)), asio::deferred);
  const auto opened = open_.async_wait(asio::deferred);
  auto group = asio::experimental::make_parallel_group(std::move(stopped), opened);
  co_await group.async_wait(asio::experimental::wait_for_one(),
                            asio::as_tuple(asio::use_awaitable));
}

Task<> Throttle::After(Clock::duration work, Stopper& stopper) const {
  stopper.ThrowIfStopping();
  const auto begun = Clock::now();
  for (;;) {
    const auto left = PauseAfter(work, ratio()) - (Clock::now() - begun);
    if (left <= Clock::duration::zero()) co_return;
    co_await stopper.SleepFor(std::min<Clock::duration>(left, kLookAtRatio));
  }
}

Snapshot Throttle::snapshot() const { return {verdict(), readings_, trouble_}; }

std::optional<std::string> Throttle::Set(std::string_view key, std::string_view value) {
  auto problem = Change(options_.settings, key, value);
  if (problem) return problem;
  policy_.SetCeiling(options_.settings.ceiling);
  WakeIfOpen();
  return std::nullopt;
}

}  // namespace pgalter::throttle
