#include "engine/run/standby_readers.h"

#include <fmt/format.h>

#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/split.hpp>
#include <boost/algorithm/string/trim.hpp>
#include <utility>

#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/plan_spec.h"

namespace pgalter::run {

using guard::Session;

namespace {

constexpr async::Milliseconds kPatience{10 * 60'000};
// A standby in distress answers late, and is the last one whose readers should be forgotten.
constexpr async::Milliseconds kAnswer{10'000};
// Replay cancels our own look as it does any other.
constexpr int kAttempts = 10;
constexpr async::Milliseconds kBetweenLooks{1'000};
constexpr const char* kReplicas = "replicas";

// $1 the tables.
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

Task<Tables> WithPartitions(Session& session, Tables tables) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT t FROM unnest($1::int8[]) t UNION SELECT p.relid::oid::int8 FROM unnest($1::int8[]) t"
      " CROSS JOIN LATERAL pg_partition_tree(t::oid::regclass) p",
      tables);
  Tables all;
  for (int i = 0; i < rows.rows(); ++i) all.push_back(rows.Get<std::int64_t>(i, 0));
  co_return all;
}

// The table, or what it is a partition of.
Task<Tables> WholeOf(Session& session, pg::Oid table) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT coalesce(pg_partition_root(oid)::oid, oid)::int8 FROM pg_class WHERE oid = $1",
      table);
  Tables tables;
  for (int i = 0; i < rows.rows(); ++i) tables.push_back(rows.Get<std::int64_t>(i, 0));
  co_return tables;
}

Task<Session> Open(Environment& env, std::string conninfo) {
  guard::SessionOptions options = env.sessions;
  options.connect.conninfo = pg::Conninfo::Parse(conninfo);
  options.connect.conninfo.SetDefault("user", env.main.db().user());
  options.connect.conninfo.SetDefault("dbname", env.main.db().database());
  options.connect.connect_timeout = std::min(options.connect.connect_timeout, kAnswer);
  Session session = co_await Session::Open(std::move(options));
  session.db().set_query_deadline(kAnswer);
  co_return session;
}

// As its kind keeps it.
const boost::json::object* ThrottleOf(const state::Run& run) {
  const auto* kept = run.spec.if_contains("throttle");
  if (kept == nullptr)
    if (const auto* pace = run.spec.if_contains(kPace))
      kept = pace->as_object().if_contains("throttle");
  return kept == nullptr ? nullptr : &kept->as_object();
}

// By the plan; where steps share a transaction, all that it names, since each knows its own only.
std::vector<std::string> LockedNames(const PlanSpec& spec, const state::Step& step) {
  const plan::Step planned = PlannedStep(step);
  std::vector<std::string> names;
  for (const plan::StepLock& lock : planned.locks)
    if (locks::BlocksReads(lock.mode)) names.push_back(sql::ToString(lock.relation));
  if (planned.sql.size() != step.sql.size())
    for (const sql::QualifiedName& name : spec.relations) names.push_back(sql::ToString(name));
  return names;
}

// As the role's path has them; what is not there is not read either.
Task<Tables> LookUp(Environment& env, const PlanSpec& spec, std::vector<std::string> names) {
  Tables tables;
  auto look = [&]() -> Task<> {
    tables.clear();
    for (const auto& [name, value] : spec.settings)
      co_await env.main.db().Query("SELECT pg_catalog.set_config($1, $2, true)", name, value);
    const pg::Result rows = co_await env.main.db().Query(
        "SELECT c.oid::pg_catalog.int8 FROM pg_catalog.unnest($1::pg_catalog.text[]) n"
        " JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(n)",
        names);
    for (int i = 0; i < rows.rows(); ++i) tables.push_back(rows.Get<std::int64_t>(i, 0));
  };
  co_await guard::RunInTransaction(env.main, look);
  co_return tables;
}

}  // namespace

std::vector<std::string> ReplicasOf(const Environment& env) {
  std::string text;
  if (const auto* given = ThrottleOf(env.run))
    if (const auto* replicas = given->if_contains(kReplicas)) text = replicas->as_string().c_str();
  if (const auto* wanted = env.control.throttle.if_contains(kReplicas))
    text = wanted->as_string().c_str();
  std::vector<std::string> parts;
  boost::split(parts, text, boost::is_any_of(";"));
  std::vector<std::string> replicas;
  for (std::string& part : parts) {
    boost::trim(part);
    if (!part.empty()) replicas.push_back(std::move(part));
  }
  return replicas;
}

Task<std::string> StandbyReaders::FindReader(Environment& env, std::string conninfo,
                                             const Tables& tables) {
  Session& session = sessions_[conninfo];
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const bool was_open = session.open();
    try {
      if (!was_open) session = co_await Open(env, conninfo);
      const pg::Result reader = co_await session.db().Query(kReader, tables);
      co_return reader.empty() ? "" : reader.Get<std::string>(0, 0);
    } catch (const pg::PgError&) {
      if (!was_open && !session.open()) co_return "";
    }
  }
  co_return "";
}

Task<std::optional<std::string>> StandbyReaders::WhyNot(Environment& env, Tables tables) {
  if (!async::SafeguardOn("standby-readers")) co_return std::nullopt;
  const std::vector<std::string> replicas = ReplicasOf(env);
  remark_.clear();
  if (replicas.empty() || tables.empty()) co_return std::nullopt;
  tables = co_await WithPartitions(env.main, std::move(tables));
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
  remark_ = fmt::format(
      "it went ahead in spite of a reader whom the standby may have cancelled: {}", reader);
  co_return std::nullopt;
}

Task<std::string> AwaitStandbyReaders(Environment& env, async::Stopper& stopper, Tables tables,
                                      std::function<Task<>()> meanwhile) {
  StandbyReaders readers;
  bool waited = false;
  for (;;) {
    const std::optional<std::string> why = co_await readers.WhyNot(env, tables);
    if (!why) break;
    waited = true;
    env.progress.note = *why;
    if (meanwhile) co_await meanwhile();
    co_await stopper.SleepFor(kBetweenLooks);
  }
  if (waited) env.progress.note.clear();
  co_return readers.remark();
}

Task<std::string> AwaitStandbyReadersOf(Environment& env, async::Stopper& stopper,
                                        const state::Step& step) {
  if (ReplicasOf(env).empty()) co_return "";
  const PlanSpec spec = PlanSpecOf(env.run);
  Tables tables = co_await LookUp(env, spec, LockedNames(spec, step));
  if (!IsPlan(env.run)) {
    const Tables whole = co_await WholeOf(env.main, env.run.relid);
    tables.insert(tables.end(), whole.begin(), whole.end());
  }
  co_return co_await AwaitStandbyReaders(env, stopper, std::move(tables));
}

}  // namespace pgalter::run
