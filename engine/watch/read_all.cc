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

void Fill(Reading& reading, Observation seen, const WatchOptions& options) {
  reading.seen = seen.seen;
  reading.value = seen.value;
  reading.text = std::move(seen.text);
  if (seen.server_limit && !options.limits.contains(reading.signal))
    reading.limit = *seen.server_limit;
}

}  // namespace

Task<std::vector<Reading>> ReadAll(guard::Session& session, const WatchOptions& options,
                                   Memory& memory) {
  const auto begin = async::Clock::now();
  // A far server is not a slow one.
  const auto limit =
      options.deadline + kMostQuestions * std::chrono::ceil<Milliseconds>(session.round_trip());
  std::vector<Reading> readings;
  for (const Signal* signal : AllSignals()) {
    if (options.without.contains(signal->id)) continue;
    Reading reading = Blank(*signal, options);
    const auto now = async::Clock::now();
    const auto left = limit - std::chrono::duration_cast<Milliseconds>(now - begin);
    SignalContext context{session, options, memory, now, reading.limit};
    Observation seen = co_await Observe(*signal, context, left);
    Fill(reading, std::move(seen), options);
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
