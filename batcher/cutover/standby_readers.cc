#include "batcher/cutover/standby_readers.h"

#include <fmt/format.h>

#include <utility>

#include "batcher/capture/parts.h"
#include "batcher/copy/pace.h"
#include "engine/async/fail_point.h"

namespace pgalter::cutover {

using capture::Flow;

namespace {

constexpr async::Milliseconds kPatience{10 * 60'000};
constexpr async::Milliseconds kAnswer{2'000};

// $1 the tables: they have the same oids there.
constexpr const char* kReader = R"sql(
SELECT format('pid %s (%s) on standby %s has read %s for %s s', a.pid,
              coalesce(nullif(a.application_name, ''), 'unnamed'),
              coalesce(nullif(current_setting('cluster_name'), ''), inet_server_port()::text, 'local'),
              l.relation::regclass, floor(extract(epoch FROM clock_timestamp() - a.xact_start)))
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE pg_is_in_recovery() AND l.locktype = 'relation' AND l.relation = ANY ($1::int8[])
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND a.pid <> pg_backend_pid() AND a.xact_start < clock_timestamp() - interval '1 second'
ORDER BY a.xact_start LIMIT 1
)sql";

Task<std::vector<std::int64_t>> TablesOf(run::Environment& env, const std::vector<Flow>& flows) {
  std::vector<std::int64_t> tables;
  for (const Flow& flow : flows) {
    tables.push_back(flow.from_oid);
    for (const capture::Part& part : co_await capture::ReadParts(env.main, flow.from_oid))
      tables.push_back(part.oid);
  }
  co_return tables;
}

Task<Session> Open(run::Environment& env, std::string conninfo) {
  guard::SessionOptions options = env.sessions;
  options.connect.conninfo = pg::Conninfo::Parse(conninfo);
  options.connect.conninfo.SetDefault("user", env.main.db().user());
  options.connect.conninfo.SetDefault("dbname", env.main.db().database());
  options.connect.connect_timeout = std::min(options.connect.connect_timeout, kAnswer);
  Session session = co_await Session::Open(std::move(options));
  session.db().set_query_deadline(kAnswer);
  co_return session;
}

}  // namespace

Task<std::string> StandbyReaders::FindReader(run::Environment& env, std::string conninfo,
                                             const std::vector<std::int64_t>& tables) {
  Session& session = sessions_[conninfo];
  try {
    if (!session.open()) session = co_await Open(env, conninfo);
    const pg::Result reader = co_await session.db().Query(kReader, tables);
    co_return reader.empty() ? "" : reader.Get<std::string>(0, 0);
  } catch (const pg::PgError&) {
    co_return "";
  }
}

Task<std::optional<std::string>> StandbyReaders::WhyNot(run::Environment& env,
                                                        const std::vector<Flow>& flows) {
  if (!async::SafeguardOn("standby-readers")) co_return std::nullopt;
  const auto replicas = copy::ReplicasOf(env);
  if (replicas.empty()) co_return std::nullopt;
  const std::vector<std::int64_t> tables = co_await TablesOf(env, flows);
  remark_.clear();
  std::string reader;
  for (const std::string& conninfo : replicas)
    if (reader.empty()) reader = co_await FindReader(env, conninfo, tables);
  if (reader.empty()) {
    since_.reset();
    co_return std::nullopt;
  }
  if (!since_) since_ = async::Clock::now();
  const async::Milliseconds patience = async::LimitOf("standby-readers", kPatience);
  if (async::Clock::now() - *since_ < patience)
    co_return fmt::format("it waits for a reader that the standby would cancel: {}", reader);
  remark_ =
      fmt::format("swapped in spite of a reader whom the standby may have cancelled: {}; ", reader);
  co_return std::nullopt;
}

}  // namespace pgalter::cutover
