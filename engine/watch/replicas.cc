#include "engine/watch/replicas.h"

#include <fmt/format.h>

#include <utility>

#include "engine/guard/transaction.h"

namespace pgalter::watch {

namespace {

constexpr Milliseconds kAnswer{2'000};
constexpr Milliseconds kAgain{1'000};  // after a failure

// The positions are of recovery alone; a hosted standby may have none.
constexpr const char* kState = R"sql(
SELECT pg_is_in_recovery(),
       CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0')::bigint END,
       current_setting('cluster_name'),
       (SELECT setting::float8 / 1000 FROM pg_settings WHERE name = 'recovery_min_apply_delay'),
       to_regclass('pgalter.heartbeat') IS NOT NULL
)sql";

constexpr const char* kBeat =
    "SELECT (extract(epoch FROM at) * 1000000)::bigint FROM pgalter.heartbeat WHERE run = $1";

// Without pg_monitor everything but the pid is NULL.
constexpr const char* kDownstream = R"sql(
SELECT r.state IS NULL, coalesce(r.application_name, ''), (r.replay_lsn - '0/0')::bigint
FROM pg_stat_replication r WHERE r.state IS NULL OR (r.state <> 'backup' AND r.replay_lsn IS NOT NULL)
)sql";

std::string NameOf(const std::string& cluster_name, const pg::Conninfo& conninfo) {
  if (!cluster_name.empty()) return cluster_name;
  const std::string host =
      conninfo.Get("host").value_or(conninfo.Get("hostaddr").value_or("localhost"));
  return fmt::format("{}:{}", host, conninfo.Get("port").value_or("5432"));
}

void AddDownstream(const pg::Result& rows, ReplicaSight& sight, const std::string& user) {
  for (int row = 0; row < rows.rows(); ++row) {
    if (rows.Get<bool>(row, 0)) {
      sight.trouble = fmt::format(
          "a standby streams from it, and its lag is hidden from {}; GRANT pg_monitor TO it", user);
      return;
    }
    const auto replayed = static_cast<std::uint64_t>(rows.Get<std::int64_t>(row, 2));
    sight.downstream.push_back({rows.Get<std::string>(row, 1), replayed});
  }
}

}  // namespace

Replicas::Replicas(const WatchOptions& options, Memory& memory, guard::SessionOptions like)
    : options_(options), memory_(memory), like_(std::move(like)) {}

void Replicas::Inherit(const std::string& user, const std::string& database) {
  user_ = user;
  database_ = database;
}

Task<guard::Session> Replicas::Open(std::string conninfo) {
  guard::SessionOptions options = like_;
  options.connect.conninfo = pg::Conninfo::Parse(conninfo);
  options.connect.conninfo.SetDefault("user", user_);
  options.connect.conninfo.SetDefault("dbname", database_);
  options.connect.connect_timeout = std::min(options.connect.connect_timeout, kAnswer);
  co_return co_await guard::Session::Open(std::move(options));
}

Task<> Replicas::Look(guard::Session& session, std::string conninfo) {
  ReplicaSight sight = memory_.replicas[conninfo];
  if (sight.name.empty()) sight.name = NameOf("", pg::Conninfo::Parse(conninfo));
  try {
    if (!session.open()) session = co_await Open(conninfo);
    pg::Connection& db = session.db();
    db.set_query_deadline(kAnswer);
    const pg::Result state = co_await db.Query(kState);
    sight.name = NameOf(state.Get<std::string>(0, 2), pg::Conninfo::Parse(conninfo));
    sight.replayed.reset();
    if (const auto at = state.Get<std::optional<std::int64_t>>(0, 1))
      sight.replayed = static_cast<std::uint64_t>(*at);
    sight.delay = state.Get<double>(0, 3);
    sight.trouble.clear();
    if (!state.Get<bool>(0, 0))
      sight.trouble = "it is not in recovery: it is no standby, or was promoted";
    sight.beat.reset();
    if (state.Get<bool>(0, 4) && !options_.run.empty()) {
      const pg::Result beat = co_await db.Query(kBeat, options_.run);
      if (!beat.empty()) sight.beat = static_cast<std::uint64_t>(beat.Get<std::int64_t>(0, 0));
    }
    sight.downstream.clear();
    const pg::Result downstream = co_await db.Query(kDownstream);
    AddDownstream(downstream, sight, db.user());
    sight.at = async::Clock::now();
  } catch (const pg::PgError& error) {
    sight.trouble = error.what();
  } catch (const std::logic_error& error) {
    sight.trouble = fmt::format("an answer that is not understood: {}", error.what());
  }
  // Asked for no more in the meantime: nobody is to wait for it.
  if (options_.replicas.contains(conninfo)) memory_.replicas[conninfo] = std::move(sight);
}

Task<> Replicas::LookOnce() {
  const auto wanted = options_.replicas;
  for (const std::string& conninfo : wanted) {
    guard::Session session;
    co_await Look(session, conninfo);
  }
}

void Replicas::Follow(async::TaskGroup& group, Milliseconds interval) {
  for (const std::string& conninfo : options_.replicas)
    if (followed_.insert(conninfo).second) group.Spawn(FollowOne(conninfo, interval));
}

Task<> Replicas::FollowOne(std::string conninfo, Milliseconds interval) {
  guard::Session session;
  while (!leaves_ && options_.replicas.contains(conninfo)) {
    co_await Look(session, conninfo);
    const bool well = session.open() && memory_.replicas[conninfo].trouble.empty();
    const Milliseconds pause = well ? interval : std::max(interval, kAgain);
    co_await async::SleepFor(pause);
  }
  memory_.replicas.erase(conninfo);
  followed_.erase(conninfo);
}

}  // namespace pgalter::watch
