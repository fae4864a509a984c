#include "engine/state/runs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <string_view>
#include <utility>

#include "engine/async/fail_point.h"
#include "engine/pg/error.h"
#include "engine/state/heartbeat.h"
#include "engine/state/schema.h"

namespace pgalter::state {

namespace {

struct StateName {
  RunState state;
  std::string_view name;
};

constexpr std::array kStateNames{
    StateName{RunState::kRunning, "running"}, StateName{RunState::kPaused, "paused"},
    StateName{RunState::kWaiting, "waiting"}, StateName{RunState::kReady, "ready"},
    StateName{RunState::kDone, "done"},       StateName{RunState::kFailed, "failed"},
    StateName{RunState::kAborted, "aborted"}, StateName{RunState::kReverted, "reverted"},
};

constexpr const char* kRunColumns = R"sql(
SELECT run::text, command, target, relid, spec::text, state, phase, done_rows, total_rows,
       progress::text, COALESCE(failure, ''),
       to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       finished_at IS NOT NULL
FROM pgalter.run
)sql";

Run FromRow(const pg::Result& rows, int i) {
  Run run;
  run.id = rows.Get<std::string>(i, 0);
  run.command = rows.Get<std::string>(i, 1);
  run.target = rows.Get<std::string>(i, 2);
  run.relid = rows.Get<pg::Oid>(i, 3);
  run.spec = boost::json::parse(rows.Bytes(i, 4)).as_object();
  run.state = ParseRunState(rows.Bytes(i, 5));
  run.phase = rows.Get<std::string>(i, 6);
  run.done_rows = rows.Get<std::int64_t>(i, 7);
  run.total_rows = rows.Get<std::int64_t>(i, 8);
  run.progress = boost::json::parse(rows.Bytes(i, 9)).as_object();
  run.failure = rows.Get<std::string>(i, 10);
  run.created_at = rows.Get<std::string>(i, 11);
  run.updated_at = rows.Get<std::string>(i, 12);
  run.finished = rows.Get<bool>(i, 13);
  return run;
}

// Arbitrary, fixed: held while somebody looks whether tables are free.
constexpr std::int64_t kClaimLock = 0x70676c74636c6d;
constexpr int kSinceRunTable = 3;

// Tried, not waited for: no session of ours waits inside a statement.
Task<> LockClaims(Session& session) {
  for (;;) {
    const pg::Result lock =
        co_await session.db().Query("SELECT pg_catalog.pg_try_advisory_xact_lock($1)", kClaimLock);
    if (lock.Get<bool>(0, 0)) co_return;
    co_await async::SleepFor(async::Milliseconds(20));
  }
}

// The runs that have tables for themselves: active ones, failed ones that left something, and done
// ones that keep the way back of a rebuild. Its triggers name the key's columns, so another change
// of the table could make them fail under its users, and would not be in the old table.
constexpr const char* kTaken = R"sql(
SELECT COALESCE(quote_ident(n.nspname) || '.' || quote_ident(c.relname), r.target), r.run::text, r.state
FROM pgalter.run_table t
JOIN pgalter.run r ON r.run = t.run AND (
  r.state IN ('running', 'paused', 'waiting', 'ready') OR r.state = 'failed'
  AND EXISTS (SELECT FROM pgalter.artefact a WHERE a.run = r.run AND a.dropped_at IS NULL)
  OR r.state = 'done'
  AND EXISTS (SELECT FROM pgalter.artefact a WHERE a.run = r.run AND a.dropped_at IS NULL
              AND a.relid = t.relid AND pg_catalog.starts_with(a.name, 'pgalter_reverse_')))
LEFT JOIN pg_class c ON c.oid = t.relid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
)sql";

void ThrowIfTaken(const pg::Result& other) {
  if (!other.empty())
    throw TableTaken(other.Get<std::string>(0, 0), other.Get<std::string>(0, 1), other.Bytes(0, 2));
}

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

// What a curve is drawn of; what is not known is left out.
boost::json::object FactsOf(const boost::json::object& progress) {
  boost::json::object facts;
  for (const char* key : {"chunk_ms", "chunk_rows", "commit_ms"})
    if (const auto* value = progress.if_contains(key); value && value->to_number<double>() >= 0)
      facts[key] = *value;
  boost::json::object lags;
  if (const auto* standbys = progress.if_contains("standbys"))
    for (const auto& standby : standbys->as_array())
      lags[standby.at("name").as_string()] = standby.at("lag_s");
  if (!lags.empty()) facts["lag_s"] = std::move(lags);
  return facts;
}

}  // namespace

std::string_view Name(RunState state) {
  for (const StateName& entry : kStateNames)
    if (entry.state == state) return entry.name;
  return "";
}

RunState ParseRunState(std::string_view name) {
  for (const StateName& entry : kStateNames)
    if (entry.name == name) return entry.state;
  throw std::logic_error(fmt::format("no such run state: {}", name));
}

bool IsActive(RunState state) {
  return state == RunState::kRunning || state == RunState::kPaused || state == RunState::kWaiting ||
         state == RunState::kReady;
}

bool RestsAtGate(const Run& run) {
  if (run.state != RunState::kWaiting) return false;
  const auto* gate = run.progress.if_contains("gate");
  return gate != nullptr && gate->is_string() && !gate->get_string().empty();
}

TableTaken::TableTaken(std::string table, std::string run, std::string_view state)
    : std::runtime_error(
          state == Name(RunState::kDone)
              ? fmt::format(
                    "run {0} has rebuilt {1} and keeps the way back: take that (pgalter revert "
                    "{0}), or let the old table go (pgalter finish {0}), before {1} is changed "
                    "again",
                    run, table)
              : fmt::format(
                    "run {} has {} already and is {}: one run a table. Go on with it (pgalter "
                    "resume {}), or end it (pgalter abort {})",
                    run, table, state, run, run)) {}

std::string NewRunId() {
  static boost::uuids::random_generator generate;
  return boost::uuids::to_string(generate());
}

Task<> CreateRun(Session& session, const Run& run, const std::vector<pg::Oid>& also) {
  pg::Connection& db = session.db();
  std::vector<std::string> tables;
  for (const pg::Oid relid : also) tables.push_back(fmt::format("{}", relid));
  tables.push_back(fmt::format("{}", run.relid));
  std::erase(tables, "0");
  co_await LockClaims(session);
  const pg::Result other = co_await db.Query(
      std::string(kTaken) + "WHERE t.relid = ANY ($1::text[]::oid[]) LIMIT 1", tables);
  ThrowIfTaken(other);
  co_await db.Query(
      "INSERT INTO pgalter.run (run, command, target, relid, spec, state, phase, total_rows)"
      " VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8)",
      run.id, run.command, run.target, run.relid, boost::json::serialize(run.spec), Name(run.state),
      run.phase, run.total_rows);
  co_await db.Query(
      "INSERT INTO pgalter.run_table (run, relid)"
      " SELECT DISTINCT $1::uuid, relid FROM unnest($2::text[]::oid[]) relid",
      run.id, tables);
  co_await db.Query("INSERT INTO pgalter.lease (run, epoch, owner) VALUES ($1, 0, '')", run.id);
  co_await db.Query("INSERT INTO pgalter.control (run) VALUES ($1)", run.id);
}

Task<> RefuseTakenTables(Session& session, std::string run) {
  const int version = co_await InstalledVersion(session);
  if (version < kSinceRunTable) co_return;  // there an index refuses
  const pg::Result other = co_await session.db().Query(
      std::string(kTaken) +
          "WHERE r.run <> $1 AND t.relid IN"
          " (SELECT relid FROM pgalter.run_table WHERE run = $1) LIMIT 1",
      run);
  ThrowIfTaken(other);
}

Task<> ClaimTables(Session& session, std::string run) {
  co_await LockClaims(session);
  co_await RefuseTakenTables(session, std::move(run));
}

Task<std::optional<Run>> FindRun(Session& session, std::string id_or_prefix) {
  const pg::Result rows = co_await session.db().Query(
      std::string(kRunColumns) +
          "WHERE pg_catalog.starts_with(run::text, $1) ORDER BY created_at DESC LIMIT 2",
      id_or_prefix);
  if (rows.rows() != 1) co_return std::nullopt;
  co_return FromRow(rows, 0);
}

Task<std::vector<Run>> ListRuns(Session& session) {
  const pg::Result rows =
      co_await session.db().Query(std::string(kRunColumns) + "ORDER BY created_at DESC");
  std::vector<Run> runs;
  for (int i = 0; i < rows.rows(); ++i) runs.push_back(FromRow(rows, i));
  co_return runs;
}

Task<std::vector<Run>> ListRecentRuns(Session& session, std::chrono::seconds since) {
  const pg::Result rows = co_await session.db().Query(
      std::string(kRunColumns) +
          "WHERE updated_at > clock_timestamp() - make_interval(secs => $1::bigint)"
          " OR state IN ('running', 'paused', 'waiting', 'ready') ORDER BY created_at DESC",
      since.count());
  std::vector<Run> runs;
  for (int i = 0; i < rows.rows(); ++i) runs.push_back(FromRow(rows, i));
  co_return runs;
}

Task<bool> ChangeState(Session& session, std::string run, RunState from, RunState to) {
  const pg::Result changed = co_await session.db().Query(
      "UPDATE pgalter.run SET state = $3, updated_at = clock_timestamp()"
      " WHERE run = $1 AND state = $2",
      run, Name(from), Name(to));
  co_return changed.affected() == 1;
}

namespace {

// For databases of any encoding: of what our texts hold, the other letters are users' own.
std::string Recordable(std::string text) {
  constexpr std::string_view kDots = "…";
  for (auto at = text.find(kDots); at != std::string::npos; at = text.find(kDots))
    text.replace(at, kDots.size(), "...");
  return text;
}

}  // namespace

Task<> RecordState(Session& session, const guard::Lease& lease, RunState state, std::string phase,
                   std::string failure) {
  failure = Recordable(std::move(failure));
  const bool ended = !IsActive(state);
  // FOR SHARE: a takeover that commits while this waits for it leaves no row of this epoch.
  const pg::Result changed = co_await session.db().Query(
      "UPDATE pgalter.run r SET state = $3, phase = $4, failure = NULLIF($5, ''),"
      " updated_at = clock_timestamp(),"
      " ended_at = CASE WHEN $6 THEN clock_timestamp() END"
      " FROM (SELECT run FROM pgalter.lease WHERE run = $1 AND epoch = $2 FOR SHARE) l"
      " WHERE l.run = r.run",
      lease.run, lease.epoch, Name(state), phase, failure, ended);
  if (changed.affected() != 1 && async::SafeguardOn("lease")) throw guard::LeaseLost(lease);
}

namespace {

// What a capture does without a runner does not begin while there is one (batcher/capture). The
// runner's other session may just be dropping the log: then this waits for it, and the sequence is
// gone before it is opened (sequence.c, init_sequence: "could not open relation").
Task<> MoveDeadlines(pg::Connection& db, std::string run) {
  try {
    co_await db.Query(
        "SELECT count(setval(to_regclass(deadline),"
        " extract(epoch FROM clock_timestamp() + unattended)::int8))"
        " FROM pgalter.flow WHERE run = $1 AND deadline IS NOT NULL",
        run);
  } catch (const pg::PgError& error) {
    if (!error.Is(pg::sqlstate::kInternalError)) throw;
  }
}

}  // namespace

Task<> ShowHolder(Session& session, const guard::Lease& lease) {
  // The start time guards against a pid that the system has given to somebody else.
  co_await session.db().Query(
      "INSERT INTO pgalter.heartbeat (run, epoch, host, process, backend_pid, backend_start)"
      " SELECT $1, $2, $3, $4, pid, backend_start FROM pg_stat_activity"
      " WHERE pid = pg_backend_pid()"
      " ON CONFLICT (run) DO UPDATE SET epoch = excluded.epoch, host = excluded.host,"
      " process = excluded.process, backend_pid = excluded.backend_pid,"
      " backend_start = excluded.backend_start, at = clock_timestamp()"
      " WHERE pgalter.heartbeat.epoch <= excluded.epoch",
      lease.run, lease.epoch, HostName(), static_cast<int>(getpid()));
}

Task<> Beat(Session& session, const guard::Lease& lease, const Pulse& pulse, Sampling sampling) {
  pg::Connection& db = session.db();
  co_await ShowHolder(session, lease);
  const pg::Result changed = co_await db.Query(
      "UPDATE pgalter.run r SET phase = $3, done_rows = $4, total_rows = $5,"
      " progress = $6::jsonb, state = $7, updated_at = clock_timestamp()"
      " FROM (SELECT run FROM pgalter.lease WHERE run = $1 AND epoch = $2 FOR SHARE) l"
      " WHERE l.run = r.run AND r.state IN ('running', 'waiting')",
      lease.run, lease.epoch, pulse.phase, pulse.done_rows, pulse.total_rows,
      boost::json::serialize(pulse.progress), Name(pulse.state));
  if (changed.affected() != 1) {
    co_await guard::CheckLease(session, lease);  // or the run rests, and there is nothing to tell
    co_return;
  }
  if (sampling == Sampling::kNo) co_return;
  co_await MoveDeadlines(db, lease.run);
  co_await db.Query(
      // What a schema that an older program has made has no column for is left out.
      "INSERT INTO pgalter.sample SELECT s.* FROM jsonb_populate_record(NULL::pgalter.sample,"
      " jsonb_build_object('run', $1::uuid, 'at', clock_timestamp(), 'done_rows', $2::bigint,"
      " 'rows_per_s', $3::float8, 'throttle_ratio', $4::float8, 'throttle_reason', $5::text,"
      " 'facts', $6::jsonb)) s",
      lease.run, pulse.done_rows, pulse.rows_per_s, pulse.throttle_ratio, pulse.throttle_reason,
      boost::json::serialize(FactsOf(pulse.progress)));
}

Task<std::optional<Runner>> LiveRunner(Session& session, std::string run) {
  // Another role's backend_start is hidden without pg_monitor; pid and name are not.
  const pg::Result rows = co_await session.db().Query(
      "SELECT h.host, h.process, h.backend_pid,"
      " EXTRACT(epoch FROM clock_timestamp() - h.at)::float8, h.at::text"
      " FROM pgalter.heartbeat h JOIN pg_stat_activity a"
      " ON a.pid = h.backend_pid AND a.application_name = $2"
      " AND COALESCE(a.backend_start, h.backend_start) = h.backend_start"
      " WHERE h.run = $1",
      run, guard::ApplicationName(run));
  if (rows.empty()) co_return std::nullopt;
  Runner runner;
  runner.host = rows.Get<std::string>(0, 0);
  runner.process = rows.Get<std::int32_t>(0, 1);
  runner.backend_pid = rows.Get<std::int32_t>(0, 2);
  runner.seconds_since_beat = rows.Get<double>(0, 3);
  runner.last_beat = rows.Get<std::string>(0, 4);
  co_return runner;
}

}  // namespace pgalter::state
