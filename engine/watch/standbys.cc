#include "engine/watch/standbys.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace pgalter::watch {

namespace {

// One statement, since it is read often. The position comes first, so that a standby is never ahead
// by mistake. Without pg_monitor the server shows the pids of the senders and NULL for all the
// rest.
constexpr const char* kSenders = R"sql(
SELECT p.position, p.beat, p.now, r.pid, r.state IS NULL AS hidden,
       coalesce(r.application_name, ''), coalesce(host(r.client_addr), ''),
       (r.replay_lsn - '0/0')::bigint, extract(epoch FROM r.replay_lag)::float8
FROM (SELECT (pg_current_wal_lsn() - '0/0')::bigint AS position, {} AS beat,
             (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now OFFSET 0) p
LEFT JOIN pg_stat_replication r
  ON coalesce(r.state, '') <> 'backup'
     AND NOT EXISTS (SELECT FROM pg_replication_slots s
                     WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
)sql";
constexpr const char* kNoBeat = "NULL::bigint";
constexpr const char* kBeat =
    "(SELECT (extract(epoch FROM at) * 1000000)::bigint FROM pgalter.heartbeat WHERE run = $1)";

constexpr double kMicroseconds = 1e6;
constexpr double kBeating = 5;  // seconds: a heart that has not beaten for longer says nothing
constexpr std::size_t kBeats = 7200;  // of two hours; a standby that is later is late by its own
// A sight that is older has a coroutine behind it that hangs.
constexpr std::chrono::seconds kFresh{10};

// The name that a standby has when nobody gave it one: only together with its address is it one
// standby. Any other name outlives a change of address.
std::string KeyOf(const std::string& name, const std::string& address) {
  return name == "walreceiver" && !address.empty() ? name + "@" + address : name;
}

// The server's replay_lag stands still on a paused standby and is stale on an idle one, so our own
// history gives the bounds and the server's figure only counts between them. Of a replay that has
// not moved since it was last looked at, the upper bound: its limit is crossed no later than this.
double Seconds(const CounterHistory::Age& age, std::optional<double> replay_lag, Replay replay) {
  const double at_least = age.at_least.count();
  double seconds = std::max(at_least, replay_lag.value_or(0));
  if (!age.at_most) return seconds;
  const double at_most = std::max(age.at_most->count(), at_least);
  return replay == Replay::kStandsStill ? at_most : std::min(seconds, at_most);
}

std::optional<Observation> FindFailure(const SignalContext& context,
                                       const std::set<std::string, std::less<>>& connected) {
  for (const std::string& name : context.memory.standbys)
    if (!connected.contains(name) && !context.options.ignore_standbys.contains(name))
      return Observation::Unreadable(
          fmt::format("standby {} was connected and is not any more", name));
  const auto expected = context.options.expect_standbys;
  const int count = static_cast<int>(connected.size());
  if (expected && count < *expected)
    return Observation::Unreadable(
        fmt::format("{} of {} expected standbys are connected", count, *expected));
  return std::nullopt;
}

class Reader {
 public:
  Reader(SignalContext& context, std::uint64_t position) : context_(context), position_(position) {}

  void AddReplicas() {
    for (const auto& [conninfo, sight] : context_.memory.replicas) {
      if (!context_.options.replicas.contains(conninfo) || IsIgnored(sight.name)) continue;
      connected_.insert(sight.name);
      if (!sight.trouble.empty()) {
        Fail(fmt::format("standby {} cannot be read: {}", sight.name, sight.trouble));
      } else if (context_.now - sight.at > kFresh) {
        Fail(fmt::format("standby {} does not answer", sight.name));
      } else {
        Add(sight);
      }
    }
  }

  // False: what this server shows is hidden.
  bool AddSenders(const pg::Result& senders) {
    for (int row = 0; row < senders.rows(); ++row) {
      if (senders.IsNull(row, 3)) continue;  // there is none
      if (senders.Get<bool>(row, 4)) return false;
      const auto application_name = senders.Get<std::string>(row, 5);
      const auto replayed = senders.Get<std::optional<std::int64_t>>(row, 7);
      const std::string key = KeyOf(application_name, senders.Get<std::string>(row, 6));
      if (IsIgnored(application_name)) Forget(key);
      // What was asked of the standby itself is nearer to the truth.
      if (!replayed || IsIgnored(application_name) || IsIgnored(key) || connected_.contains(key))
        continue;
      connected_.insert(key);
      Add(key, static_cast<std::uint64_t>(*replayed), senders.Get<std::optional<double>>(row, 8));
    }
    return true;
  }

  Standbys Finish() {
    if (!standbys_.failure) standbys_.failure = FindFailure(context_, connected_);
    context_.memory.standbys.merge(connected_);
    return std::move(standbys_);
  }

 private:
  [[nodiscard]] bool IsIgnored(const std::string& name) const {
    return context_.options.ignore_standbys.contains(name);
  }
  // Ignored by a shorter name than the one that it goes by here: nobody misses it.
  void Forget(const std::string& name) {
    context_.memory.standbys.erase(name);
    context_.memory.tracks.erase(name);
  }
  void Fail(std::string why) {
    if (!standbys_.failure) standbys_.failure = Observation::Unreadable(std::move(why));
  }

  // When all that the primary had written so many seconds ago had been replayed.
  [[nodiscard]] CounterHistory::Time Ago(double seconds) const {
    return context_.now - std::chrono::duration_cast<CounterHistory::Time::duration>(
                              CounterHistory::Seconds(std::max(seconds, 0.0)));
  }

  // What its position says: when it was last known to have all, and how late it will be.
  void Follow(ReplayTrack& track, std::uint64_t at, StandbyLag& lag) {
    const CounterHistory::Age age = context_.memory.wal.AgeOf(at, context_.now);
    const double at_least = age.at_least.count();
    track.NoteFresh(Ago(age.at_most ? age.at_most->count() : std::max(at_least, lag.seconds)));
    track.delay = lag.delay;
    lag.due = lag.seconds;
    // One that may be late is not slow for that.
    if (lag.delay > 0 || context_.options.standby_limits.contains(lag.name)) return;
    lag.due = track.Due(lag.bytes, lag.seconds, Ago(at_least));
  }

  void Add(const std::string& name, std::uint64_t at, std::optional<double> replay_lag) {
    StandbyLag lag;
    lag.name = name;
    ReplayTrack& track = context_.memory.tracks[name];
    const Replay replay = track.NoteReplayed(at, context_.now);
    if (at < position_) {
      lag.bytes = static_cast<double>(position_ - at);
      lag.seconds = Seconds(context_.memory.wal.AgeOf(at, context_.now), replay_lag, replay);
    }
    Follow(track, at, lag);
    standbys_.lags.push_back(std::move(lag));
  }

  void Add(const ReplicaSight& sight) {
    StandbyLag lag;
    lag.name = sight.name;
    lag.delay = sight.delay;
    double seconds = 0;
    if (sight.replayed && *sight.replayed < position_) {
      lag.bytes = static_cast<double>(position_ - *sight.replayed);
      seconds = context_.memory.wal.AgeOf(*sight.replayed, context_.now).at_least.count();
    }
    // The truth, while there are heartbeats; WAL that nobody has flushed yet is no lag.
    ReplayTrack& track = context_.memory.tracks[sight.name];
    if (sight.beat && HeartBeats()) {
      seconds = BehindBy(*sight.beat);
      track.NoteFresh(Ago(Since(*sight.beat)));
    }
    lag.seconds = lag.due = std::max(0.0, seconds - sight.delay);
    if (sight.replayed) {
      track.NoteReplayed(*sight.replayed, sight.at);
      Follow(track, *sight.replayed, lag);
    }
    standbys_.lags.push_back(std::move(lag));
    for (const Downstream& behind : sight.downstream) {
      const std::string name = fmt::format("{} behind {}", behind.name, sight.name);
      if (IsIgnored(behind.name)) {
        Forget(name);
        continue;
      }
      if (!connected_.insert(name).second) continue;
      Add(name, behind.replayed, std::nullopt);
    }
  }

  [[nodiscard]] bool HeartBeats() const {
    const Memory& memory = context_.memory;
    return !memory.beats.empty() &&
           static_cast<double>(memory.primary_time) <
               static_cast<double>(memory.beats.back()) + kBeating * kMicroseconds;
  }

  // The age of the first heartbeat that the standby lacks, both by the primary's clock. Of one that
  // lacks even the first that was seen here, the age of its own: what came in between is not known.
  [[nodiscard]] double BehindBy(std::uint64_t beat) const {
    const Memory& memory = context_.memory;
    const auto lacking = std::upper_bound(memory.beats.begin(), memory.beats.end(), beat);
    if (lacking == memory.beats.end()) return 0;
    return Since(beat < memory.beats.front() ? beat : *lacking);
  }
  [[nodiscard]] double Since(std::uint64_t beat) const {
    const std::uint64_t now = context_.memory.primary_time;
    return static_cast<double>(now - std::min(beat, now)) / kMicroseconds;
  }

  SignalContext& context_;
  std::uint64_t position_;
  Standbys standbys_;
  std::set<std::string, std::less<>> connected_;
};

void NotePosition(SignalContext& context, const pg::Result& row) {
  Memory& memory = context.memory;
  memory.wal.Record(static_cast<std::uint64_t>(row.Get<std::int64_t>(0, 0)), context.now);
  memory.primary_time = static_cast<std::uint64_t>(row.Get<std::int64_t>(0, 2));
  const auto beat = row.Get<std::optional<std::int64_t>>(0, 1);
  if (!beat) return;
  const auto at = static_cast<std::uint64_t>(*beat);
  if (memory.beats.empty() || memory.beats.back() < at) memory.beats.push_back(at);
  if (memory.beats.size() > kBeats) memory.beats.pop_front();
}

Task<pg::Result> Ask(SignalContext& context) {
  pg::Connection& db = context.session.db();
  bool& has_beats = context.memory.has_beats;
  const bool wanted = !context.options.replicas.empty() && !context.options.run.empty();
  if (wanted && !has_beats) {
    const pg::Result there =
        co_await db.Query("SELECT to_regclass('pgalter.heartbeat') IS NOT NULL");
    has_beats = there.Get<bool>(0, 0);
  }
  if (!wanted || !has_beats)
    co_return co_await db.Query(fmt::format(fmt::runtime(kSenders), kNoBeat));
  co_return co_await db.Query(fmt::format(fmt::runtime(kSenders), kBeat), context.options.run);
}

Observation Worst(const Standbys& standbys, double StandbyLag::*measure,
                  const std::function<std::optional<double>(const StandbyLag&)>& own_limit,
                  double limit) {
  const StandbyLag* worst = nullptr;
  double highest = -1;
  for (const StandbyLag& lag : standbys.lags) {
    const double its_limit = own_limit(lag).value_or(limit);
    const double share = its_limit > 0 ? lag.*measure / its_limit : lag.*measure;
    if (share <= highest) continue;
    highest = share;
    worst = &lag;
  }
  if (standbys.failure && highest < 1) return *standbys.failure;
  if (worst == nullptr) return Observation::Absent("no standby is connected");
  std::string text =
      fmt::format("standby {}: {} and {} behind", worst->name,
                  Format(worst->seconds, Unit::kSeconds), Format(worst->bytes, Unit::kBytes));
  if (worst->due > 1.2 * worst->seconds)
    text += fmt::format(", {} for what is written now", Format(worst->due, Unit::kSeconds));
  if (worst->delay > 0)
    text += fmt::format(", besides its delay of {}", Format(worst->delay, Unit::kSeconds));
  Observation seen = Observation::Measured(worst->*measure, std::move(text));
  seen.own_limit = own_limit(*worst);
  return seen;
}

}  // namespace

Task<Standbys> ReadStandbys(SignalContext& context) {
  auto& read = context.memory.round_standbys;
  if (read) co_return *read;
  const pg::Result senders = co_await Ask(context);
  NotePosition(context, senders);
  Reader reader(context, static_cast<std::uint64_t>(senders.Get<std::int64_t>(0, 0)));
  reader.AddReplicas();
  Standbys standbys;
  if (reader.AddSenders(senders)) {
    standbys = reader.Finish();
  } else {
    standbys.failure = Observation::MissingRight(
        fmt::format("a standby is connected and its lag is hidden from {}; GRANT pg_monitor TO it",
                    context.session.db().user()));
  }
  read = std::make_shared<const Standbys>(standbys);
  co_return standbys;
}

Observation WorstBySeconds(const Standbys& standbys, const WatchOptions& options, double limit) {
  const auto& limits = options.standby_limits;
  const auto own = [&limits](const StandbyLag& lag) -> std::optional<double> {
    const auto found = limits.find(lag.name);
    if (found == limits.end()) return std::nullopt;
    return found->second;
  };
  return Worst(standbys, &StandbyLag::due, own, limit);
}

// Of a standby that may lag by its delay, or by more than others, bytes say nothing.
Observation WorstByBytes(const Standbys& standbys, const WatchOptions& options, double limit) {
  Standbys counted = standbys;
  std::erase_if(counted.lags, [&options](const StandbyLag& lag) {
    return lag.delay > 0 || options.standby_limits.contains(lag.name);
  });
  const auto none = [](const StandbyLag&) -> std::optional<double> { return std::nullopt; };
  Observation seen = Worst(counted, &StandbyLag::bytes, none, limit);
  if (seen.seen == Seen::kAbsent && !standbys.lags.empty())
    seen.text = "every standby is delayed, or has a limit of its own";
  return seen;
}

}  // namespace pgalter::watch
