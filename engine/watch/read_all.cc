#include "engine/watch/read_all.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/guard/transaction.h"

namespace pgalter::watch {

namespace {

constexpr Milliseconds kOneSignal{2'000};
constexpr int kMostQuestions = 24;  // to the server, in one round

Reading Blank(const Signal& signal, const WatchOptions& options) {
  Reading reading;
  reading.signal = signal.id;
  reading.unit = signal.unit;
  reading.effect = signal.effect;
  const auto given = options.limits.find(signal.id);
  reading.limit = given == options.limits.end() ? signal.default_limit : given->second;
  return reading;
}

Observation FromError(const pg::PgError& error) {
  const std::string why = error.what();
  if (error.Is(pg::sqlstate::kInsufficientPrivilege)) return Observation::MissingRight(why);
  return Observation::Unreadable(why);
}

Task<Observation> Observe(const Signal& signal, SignalContext& context, Milliseconds left) {
  if (left <= Milliseconds(0))
    co_return Observation::Unreadable("the signals before it took all the time of this round");
  if (!context.session.open())
    co_return Observation::Unreadable("the watching connection is closed");
  context.session.db().set_query_deadline(std::min(left, kOneSignal));
  Observation seen;
  try {
    seen = co_await signal.read(context);
  } catch (const pg::PgError& error) {
    seen = FromError(error);
  } catch (const std::logic_error& error) {
    seen =
        Observation::Unreadable(fmt::format("an answer that is not understood: {}", error.what()));
  }
  co_await guard::RollBack(context.session);
  co_return seen;
}

void Fill(Reading& reading, const Observation& seen, const WatchOptions& options) {
  reading.seen = seen.seen;
  reading.value = seen.value;
  reading.text = seen.text;
  if (seen.server_limit && !options.limits.contains(reading.signal))
    reading.limit = *seen.server_limit;
  if (seen.own_limit) reading.limit = *seen.own_limit;
}

double ShareOf(const Signal& signal, const WatchOptions& options, const Observation& seen) {
  Reading reading = Blank(signal, options);
  Fill(reading, seen, options);
  return reading.utilisation();
}

// In so short a time a look that comes too seldom would be most of the lag that it allows for.
bool HasShortLimit(const Signal& signal, const WatchOptions& options) {
  constexpr double kShort = 3;  // seconds
  double limit = Blank(signal, options).limit;
  for (const auto& [name, own] : options.standby_limits) limit = std::min(limit, own);
  return limit > 0 && limit < kShort;
}

// Of lags: those of standbys are read soon anyway.
int RateOfLag(const Signal& signal, const WatchOptions& options, const Observation& seen, int every,
              int soon) {
  constexpr double kOnItsWay = 0.4;  // from there on the pace does not grow
  constexpr double kNear = 0.7;      // from there on it shrinks
  const bool of_standby = signal.every <= soon;
  const double share = ShareOf(signal, options, seen);
  if (share >= kNear || (of_standby && share >= kOnItsWay)) return 1;
  if (of_standby && signal.unit == Unit::kSeconds && HasShortLimit(signal, options)) return 1;
  return share >= kOnItsWay ? soon : every;
}

// Spread over the rounds, so that not all slow ones meet in one; neighbours in the table, which
// read the same, together. What somebody gave a limit, or what could not be read, is looked at
// again soon, and so is a subscriber that is on its way to its limit; such a standby, or one with
// a short limit, in every round.
bool IsDue(const Signal& signal, std::size_t index, const WatchOptions& options,
           const Memory& memory) {
  constexpr int kSoon = 2;
  const auto kept = memory.kept.find(signal.id);
  if (!options.at_their_rates || kept == memory.kept.end()) return true;
  int every = signal.every;
  const bool readable = kept->second.seen == Seen::kMeasured || kept->second.seen == Seen::kAbsent;
  if (!readable || options.limits.contains(signal.id)) every = std::min(every, kSoon);
  if (signal.every <= kSoon || signal.unit == Unit::kSeconds)
    every = RateOfLag(signal, options, kept->second, every, kSoon);
  return memory.round % every == static_cast<std::int64_t>(index / 2) % every;
}

}  // namespace

Task<std::vector<Reading>> ReadAll(guard::Session& session, const WatchOptions& options,
                                   Memory& memory) {
  const auto begin = async::Clock::now();
  // A far server is not a slow one.
  const auto limit =
      options.deadline + kMostQuestions * std::chrono::ceil<Milliseconds>(session.round_trip());
  std::vector<Reading> readings;
  ++memory.round;
  memory.round_standbys.reset();
  memory.round_waits.reset();
  std::size_t index = 0;
  for (const Signal* signal : AllSignals()) {
    const std::size_t at = index++;
    if (options.without.contains(signal->id)) {
      memory.kept.erase(std::string(signal->id));
      continue;
    }
    Reading reading = Blank(*signal, options);
    if (session.open() && !IsDue(*signal, at, options, memory)) {
      Fill(reading, memory.kept.at(std::string(signal->id)), options);
      readings.push_back(std::move(reading));
      continue;
    }
    const auto now = async::Clock::now();
    const auto left = limit - std::chrono::duration_cast<Milliseconds>(now - begin);
    SignalContext context{session, options, memory, now, reading.limit};
    Observation seen = co_await Observe(*signal, context, left);
    Fill(reading, seen, options);
    memory.kept[std::string(signal->id)] = std::move(seen);
    readings.push_back(std::move(reading));
  }
  co_return readings;
}

std::vector<Reading> NothingReadable(const WatchOptions& options, const std::string& why) {
  std::vector<Reading> readings;
  for (const Signal* signal : AllSignals()) {
    if (options.without.contains(signal->id)) continue;
    Reading reading = Blank(*signal, options);
    reading.seen = Seen::kUnreadable;
    reading.text = why;
    readings.push_back(std::move(reading));
  }
  return readings;
}

guard::SessionOptions WatchingSession(guard::SessionOptions options) {
  options.connect.connect_timeout = std::min(options.connect.connect_timeout, Milliseconds(5'000));
  options.settings.emplace_back("default_transaction_read_only", "on");
  options.settings.emplace_back("lock_timeout", "50ms");
  options.settings.emplace_back("jit", "off");
  return options;
}

}  // namespace pgalter::watch
