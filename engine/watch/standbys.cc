#include "engine/watch/standbys.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgalter::watch {

namespace {

// Read before the standbys' positions, so that a standby is never ahead by mistake.
constexpr const char* kPosition = "SELECT (pg_current_wal_lsn() - '0/0')::bigint";

// Without pg_monitor the server shows the pids of the senders and NULL for all the rest.
constexpr const char* kSenders = R"sql(
SELECT r.state IS NULL AS hidden, coalesce(r.application_name, ''), coalesce(host(r.client_addr), ''),
       (r.replay_lsn - '0/0')::bigint, extract(epoch FROM r.replay_lag)::float8
FROM pg_stat_replication r
WHERE coalesce(r.state, '') <> 'backup'
  AND NOT EXISTS (SELECT FROM pg_replication_slots s
                  WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
)sql";

// The name that a standby has when nobody gave it one: only together with its address is it one
// standby. Any other name outlives a change of address.
std::string KeyOf(const std::string& name, const std::string& address) {
  return name == "walreceiver" && !address.empty() ? name + "@" + address : name;
}

// The server's replay_lag stands still on a paused standby and is stale on an idle one, so our own
// history gives the bounds and the server's figure only counts between them.
double Seconds(const CounterHistory::Age& age, std::optional<double> replay_lag) {
  double seconds = std::max(age.at_least.count(), replay_lag.value_or(0));
  if (age.at_most)
    seconds = std::min(seconds, std::max(age.at_most->count(), age.at_least.count()));
  return seconds;
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

}  // namespace

Task<Standbys> ReadStandbys(SignalContext& context) {
  std::vector<pg::Statement> statements;
  statements.push_back({kPosition, {}});
  statements.push_back({kSenders, {}});
  const auto results = co_await context.session.db().Pipeline(std::move(statements));
  const auto position = static_cast<std::uint64_t>(results.at(0).Get<std::int64_t>(0, 0));
  context.memory.wal.Record(position, context.now);

  const pg::Result& senders = results.at(1);
  Standbys standbys;
  std::set<std::string, std::less<>> connected;
  for (int row = 0; row < senders.rows(); ++row) {
    if (senders.Get<bool>(row, 0)) {
      standbys.failure = Observation::MissingRight(fmt::format(
          "a standby is connected and its lag is hidden from {}; GRANT pg_monitor TO it",
          context.session.db().user()));
      co_return standbys;
    }
    const auto application_name = senders.Get<std::string>(row, 1);
    const auto replayed = senders.Get<std::optional<std::int64_t>>(row, 3);
    const std::string key = KeyOf(application_name, senders.Get<std::string>(row, 2));
    const auto& ignored = context.options.ignore_standbys;
    if (!replayed || ignored.contains(application_name) || ignored.contains(key)) continue;
    connected.insert(key);
    const auto at = static_cast<std::uint64_t>(*replayed);
    StandbyLag lag;
    lag.name = key;
    if (at < position) {
      lag.bytes = static_cast<double>(position - at);
      const auto replay_lag = senders.Get<std::optional<double>>(row, 4);
      lag.seconds = Seconds(context.memory.wal.AgeOf(at, context.now), replay_lag);
    }
    standbys.lags.push_back(std::move(lag));
  }
  standbys.failure = FindFailure(context, connected);
  context.memory.standbys.merge(connected);
  co_return standbys;
}

Observation WorstOf(const Standbys& standbys, double StandbyLag::*measure) {
  if (standbys.failure) return *standbys.failure;
  if (standbys.lags.empty()) return Observation::Absent("no standby is connected");
  const auto worst = std::max_element(
      standbys.lags.begin(), standbys.lags.end(),
      [measure](const StandbyLag& a, const StandbyLag& b) { return a.*measure < b.*measure; });
  return Observation::Measured(
      (*worst).*measure,
      fmt::format("standby {}: {} and {} behind", worst->name,
                  Format(worst->seconds, Unit::kSeconds), Format(worst->bytes, Unit::kBytes)));
}

}  // namespace pgalter::watch
