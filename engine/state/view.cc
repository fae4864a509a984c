#include "engine/state/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cmath>

namespace pgalter::state {

namespace {

std::vector<std::string> Texts(const boost::json::value& list) {
  std::vector<std::string> texts;
  for (const auto& entry : list.as_array()) texts.emplace_back(entry.as_string());
  return texts;
}

constexpr const char* kFacts =
    "avg((facts->>'chunk_ms')::float8), avg((facts->>'chunk_rows')::float8),"
    " max((facts->>'commit_ms')::float8)";
constexpr const char* kLags =
    "SELECT floor(EXTRACT(epoch FROM at)::float8 / $3::float8)::int8, lag.key,"
    " max(lag.value::float8) FROM pgalter.sample, jsonb_each_text(facts->'lag_s') lag"
    " WHERE run = $1 AND at > to_timestamp($2) AND facts ? 'lag_s' GROUP BY 1, 2";

}  // namespace

Task<std::map<std::string, Runner>> LiveRunners(Session& session) {
  // Another role's backend_start is hidden without pg_monitor; pid and name are not.
  const pg::Result rows = co_await session.db().Query(
      "SELECT h.run::text, h.host, h.process, h.backend_pid,"
      " EXTRACT(epoch FROM clock_timestamp() - h.at)::float8, h.at::text"
      " FROM pgalter.heartbeat h JOIN pg_stat_activity a"
      " ON a.pid = h.backend_pid AND a.application_name = 'pgalter/' || h.run::text"
      " AND COALESCE(a.backend_start, h.backend_start) = h.backend_start");
  std::map<std::string, Runner> runners;
  for (int i = 0; i < rows.rows(); ++i) {
    Runner& runner = runners[rows.Get<std::string>(i, 0)];
    runner.host = rows.Get<std::string>(i, 1);
    runner.process = rows.Get<std::int32_t>(i, 2);
    runner.backend_pid = rows.Get<std::int32_t>(i, 3);
    runner.seconds_since_beat = rows.Get<double>(i, 4);
    runner.last_beat = rows.Get<std::string>(i, 5);
  }
  co_return runners;
}

Task<std::vector<StepView>> ViewSteps(Session& session, std::string run) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT ordinal, id, kind, phase, state, COALESCE(to_jsonb(s)->>'spec', '{}'),"
      " EXTRACT(epoch FROM started_at)::float8, EXTRACT(epoch FROM ended_at)::float8"
      " FROM pgalter.step s WHERE run = $1 ORDER BY ordinal",
      run);
  std::vector<StepView> steps;
  for (int i = 0; i < rows.rows(); ++i) {
    StepView& step = steps.emplace_back();
    step.ordinal = rows.Get<std::int32_t>(i, 0);
    step.id = rows.Get<std::string>(i, 1);
    step.kind = rows.Get<std::string>(i, 2);
    step.phase = rows.Get<std::string>(i, 3);
    step.state = rows.Get<std::string>(i, 4);
    step.spec = boost::json::parse(rows.Bytes(i, 5)).as_object();
    step.started = rows.Get<std::optional<double>>(i, 6);
    step.ended = rows.Get<std::optional<double>>(i, 7);
  }
  co_return steps;
}

Task<ControlView> ViewControl(Session& session, std::string run) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT wanted, COALESCE(to_jsonb(c)->>'through', 'contract'),"
      " COALESCE(to_jsonb(c)->>'passed', '[]'), COALESCE(to_jsonb(c)->>'cutover', ''),"
      " COALESCE(to_char((to_jsonb(c)->>'cutover_at')::timestamptz AT TIME ZONE 'UTC',"
      " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ''), throttle::text, changed_by,"
      " to_char(changed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
      " FROM pgalter.control c WHERE run = $1",
      run);
  ControlView view;
  if (rows.empty()) co_return view;
  view.wanted = rows.Get<std::string>(0, 0);
  view.through = rows.Get<std::string>(0, 1);
  view.passed = Texts(boost::json::parse(rows.Bytes(0, 2)));
  view.cutover = rows.Get<std::string>(0, 3);
  view.cutover_at = rows.Get<std::string>(0, 4);
  view.throttle = boost::json::parse(rows.Bytes(0, 5)).as_object();
  view.changed_by = rows.Get<std::string>(0, 6);
  view.changed_at = rows.Get<std::string>(0, 7);
  co_return view;
}

double BucketSeconds(double seconds, int points) {
  return std::max(1.0, std::ceil(seconds / std::max(points, 1)));
}

Task<std::vector<SampleBucket>> ViewSamples(Session& session, std::string run, double since,
                                            int points) {
  pg::Connection& db = session.db();
  const pg::Result span = co_await db.Query(
      "SELECT COALESCE(EXTRACT(epoch FROM max(at) - min(at)), 0)::float8 FROM pgalter.sample"
      " WHERE run = $1 AND at > to_timestamp($2)",
      run, since);
  const double width = BucketSeconds(span.Get<double>(0, 0), points);
  const pg::Result has = co_await db.Query(
      "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'pgalter.sample'::regclass"
      " AND attname = 'facts')");
  const bool facts = has.Get<bool>(0, 0);
  const std::string sql = fmt::format(
      "SELECT floor(EXTRACT(epoch FROM at)::float8 / $3::float8)::int8,"
      " EXTRACT(epoch FROM max(at))::float8, max(done_rows)::float8, avg(rows_per_s),"
      " min(throttle_ratio), (array_agg(throttle_reason ORDER BY throttle_ratio, at))[1], {}"
      " FROM pgalter.sample WHERE run = $1 AND at > to_timestamp($2) GROUP BY 1 ORDER BY 1",
      facts ? kFacts : "NULL, NULL, NULL");
  const pg::Result rows = co_await db.Query(sql, run, since, width);
  std::vector<SampleBucket> buckets;
  std::map<std::int64_t, std::size_t> place;
  for (int i = 0; i < rows.rows(); ++i) {
    place[rows.Get<std::int64_t>(i, 0)] = buckets.size();
    SampleBucket& bucket = buckets.emplace_back();
    bucket.at = rows.Get<double>(i, 1);
    bucket.done_rows = rows.Get<double>(i, 2);
    bucket.rows_per_s = rows.Get<double>(i, 3);
    bucket.throttle_ratio = rows.Get<double>(i, 4);
    bucket.throttle_reason = rows.Get<std::string>(i, 5);
    if (!facts) continue;
    bucket.chunk_ms = rows.Get<std::optional<double>>(i, 6);
    bucket.chunk_rows = rows.Get<std::optional<double>>(i, 7);
    bucket.commit_ms = rows.Get<std::optional<double>>(i, 8);
  }
  if (!facts) co_return buckets;
  const pg::Result lags = co_await db.Query(kLags, run, since, width);
  for (int i = 0; i < lags.rows(); ++i) {
    const auto found = place.find(lags.Get<std::int64_t>(i, 0));
    if (found == place.end()) continue;  // written between the two statements
    buckets[found->second].lag_s[lags.Get<std::string>(i, 1)] = lags.Get<double>(i, 2);
  }
  co_return buckets;
}

Task<std::map<std::string, double>> BlockedSeconds(Session& session) {
  std::map<std::string, double> blocked;
  const pg::Result there =
      co_await session.db().Query("SELECT pg_catalog.to_regclass('pgalter.rebuild') IS NOT NULL");
  if (!there.Get<bool>(0, 0)) co_return blocked;
  const pg::Result rows = co_await session.db().Query(
      "SELECT run::text, blocked_ms / 1000 FROM pgalter.rebuild WHERE blocked_ms IS NOT NULL");
  for (int i = 0; i < rows.rows(); ++i)
    blocked[rows.Get<std::string>(i, 0)] = rows.Get<double>(i, 1);
  co_return blocked;
}

namespace {

Task<std::map<std::string, LogEnd>> ReadLogEnds(Session& session, std::string run) {
  std::map<std::string, LogEnd> ends;
  const pg::Result there = co_await session.db().Query(
      "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attname = 'unattended'"
      " AND attrelid = pg_catalog.to_regclass('pgalter.flow'))");
  if (!there.Get<bool>(0, 0)) co_return ends;
  // Of a run whose tables have changed places the log is the way back's; before, the copy's. The
  // sequences are the run's role's: others go by its last beat.
  const pg::Result rows = co_await session.db().Query(R"sql(
SELECT run::text, back, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       EXTRACT(epoch FROM at)::float8, EXTRACT(epoch FROM at - clock_timestamp())::float8,
       EXTRACT(epoch FROM unattended)::float8, given_up
FROM (
  SELECT f.run, starts_with(f.name, 'reverse') AS back, min(f.unattended) AS unattended,
         min(CASE WHEN d.value > 1000 THEN to_timestamp(d.value) ELSE h.at + f.unattended END) AS at,
         bool_or(g.value IS NOT NULL) AS given_up
  FROM pgalter.flow f JOIN pgalter.heartbeat h USING (run) JOIN pgalter.run r USING (run)
  LEFT JOIN LATERAL (
    SELECT CASE WHEN has_sequence_privilege(s.oid, 'SELECT') THEN pg_sequence_last_value(s.oid) END AS value
    FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace
    WHERE s.relkind = 'S' AND n.nspname || '.' || s.relname = f.deadline) d ON true
  LEFT JOIN LATERAL (
    SELECT CASE WHEN has_sequence_privilege(s.oid, 'SELECT') THEN pg_sequence_last_value(s.oid) END AS value
    FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace
    WHERE s.relkind = 'S'
      AND n.nspname || '.' || s.relname = replace(f.deadline, '.deadline_', '.given_up_')) g ON true
  WHERE f.deadline IS NOT NULL AND f.unattended > interval '0' AND r.finished_at IS NULL
    AND r.state NOT IN ('aborted', 'reverted') AND ($1 = '' OR f.run::text = $1)
    AND starts_with(f.name, 'reverse') = EXISTS (
      SELECT FROM pgalter.rebuild b WHERE b.run = f.run AND b.swapped_at IS NOT NULL)
  GROUP BY 1, 2) e
)sql",
                                                      run);
  for (int i = 0; i < rows.rows(); ++i) {
    LogEnd& end = ends[rows.Get<std::string>(i, 0)];
    end.loses = rows.Get<bool>(i, 1) ? LogEnd::Loses::kWayBack : LogEnd::Loses::kCopy;
    end.until = rows.Get<std::string>(i, 2);
    end.at = rows.Get<double>(i, 3);
    end.seconds_left = rows.Get<double>(i, 4);
    end.unattended_s = rows.Get<double>(i, 5);
    end.given_up = rows.Get<bool>(i, 6);
  }
  co_return ends;
}

}  // namespace

// A runner may be dropping a log meanwhile, which this statement still sees; the next one does not.
Task<std::map<std::string, LogEnd>> LogEnds(Session& session, std::string run) {
  constexpr int kTimes = 3;
  for (int time = 1;; ++time) {
    try {
      co_return co_await ReadLogEnds(session, run);
    } catch (const pg::PgError& error) {
      if (!error.Is(pg::sqlstate::kInternalError) || time == kTimes) throw;
    }
  }
}

std::string ToSentence(const LogEnd& end, const std::string& run) {
  const std::string what = end.loses == LogEnd::Loses::kCopy ? "copy" : "way back";
  if (end.given_up)
    return fmt::format("the {} is lost: what users change is not logged any more", what);
  if (end.seconds_left <= 0)
    return fmt::format("the {} was to be kept up until {}; users' next change is not logged", what,
                       end.until);
  const auto hours = static_cast<long>(end.unattended_s / 3600);
  const std::string more = hours > 0 ? fmt::format("{} h", hours)
                                     : fmt::format("{} s", static_cast<long>(end.unattended_s));
  return fmt::format(
      "without a runner the {} is kept up until {}, and lost then; for {} from the moment on: "
      "pgalter resume {}",
      what, end.until, more, run);
}

Task<std::int64_t> CountLockWaiters(Session& session) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
      " WHERE NOT l.granted AND a.datname = current_database()");
  co_return rows.Get<std::int64_t>(0, 0);
}

}  // namespace pgalter::state
