#include "migrations/history/store.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "engine/guard/transaction.h"

namespace pgalter::history {

namespace {

namespace json = boost::json;

std::string HeaderJson(const Migration& migration) {
  json::object header;
  for (const formats::HeaderKey& key : migration.header) header[key.key] = key.value;
  return json::serialize(header);
}

// Enough to tell a row that was changed by hand.
json::object About(const Migration& migration) {
  return {{"file", migration.file},
          {"title", migration.title},
          {"format", migration.format},
          {"sha256", migration.sums.bytes},
          {"text_sha256", migration.sums.text},
          {"statements_sha256", migration.sums.statements},
          {"header", json::parse(HeaderJson(migration))},
          {"has_verify", !migration.verify.empty()}};
}

Task<> Audit(Session& session, std::string event, std::string version, json::object about,
             const std::string& reason) {
  if (!reason.empty()) about["reason"] = reason;
  co_await session.db().Query("SELECT pgalter.audit($1, $2, $3)", event, version,
                              json::serialize(about));
}

Task<> Insert(Session& session, const Migration& migration, State state,
              std::optional<std::string> run) {
  co_await session.db().Query(
      "INSERT INTO pgalter.migration (version, title, file, format, bytes_sha256, text_sha256,"
      " statements_sha256, header, has_verify, state, run, ended_at)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10, $11::uuid,"
      " CASE WHEN $10 <> 'applying' THEN clock_timestamp() END)",
      migration.version, migration.title, migration.file, migration.format, migration.sums.bytes,
      migration.sums.text, migration.sums.statements, HeaderJson(migration),
      !migration.verify.empty(), Name(state), run);
}

}  // namespace

Task<std::set<std::string>> ReadTold(Session& session) {
  std::set<std::string> told;
  const pg::Result there = co_await session.db().Query(
      "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid ="
      " pg_catalog.to_regclass('pgalter.migration') AND attname = 'told')");
  if (!there.Get<bool>(0, 0)) co_return told;
  const pg::Result rows =
      co_await session.db().Query("SELECT version FROM pgalter.migration WHERE told");
  for (int i = 0; i < rows.rows(); ++i) told.insert(rows.Get<std::string>(i, 0));
  co_return told;
}

Task<std::vector<Applied>> ReadApplied(Session& session) {
  std::vector<Applied> applied;
  const pg::Result there =
      co_await session.db().Query("SELECT pg_catalog.to_regclass('pgalter.migration') IS NOT NULL");
  if (!there.Get<bool>(0, 0)) co_return applied;
  const pg::Result rows = co_await session.db().Query(
      "SELECT m.version, m.title, m.file, m.format, m.bytes_sha256, m.text_sha256,"
      " m.statements_sha256, m.state, COALESCE(m.run::text, ''), COALESCE(m.down_run::text, ''),"
      " m.applied_by, to_char(m.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
      " COALESCE(to_char(m.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ''),"
      " COALESCE(r.state, ''), COALESCE(r.phase, ''), m.header::text, m.has_verify"
      " FROM pgalter.migration m"
      " LEFT JOIN pgalter.run r ON r.run = COALESCE(m.down_run, m.run)"
      " ORDER BY m.position");
  for (int i = 0; i < rows.rows(); ++i) {
    const auto text = [&](int column) { return rows.Get<std::string>(i, column); };
    Applied row;
    row.version = text(0);
    row.title = text(1);
    row.file = text(2);
    row.format = text(3);
    row.sums = {text(4), text(5), text(6)};
    row.state = ParseState(rows.Bytes(i, 7));
    row.run = text(8);
    row.down_run = text(9);
    row.applied_by = text(10);
    row.started_at = text(11);
    row.ended_at = text(12);
    row.run_state = text(13);
    row.run_phase = text(14);
    row.header = text(15);
    row.has_verify = rows.Get<bool>(i, 16);
    applied.push_back(std::move(row));
  }
  co_return applied;
}

Task<> InsertApplying(Session& session, const Migration& migration, std::string run) {
  co_await Insert(session, migration, State::kApplying, run);
  json::object about = About(migration);
  about["run"] = run;
  co_await Audit(session, "migration.begin", migration.version, std::move(about), "");
}

Task<> InsertSettled(Session& session, const Migration& migration, State state,
                     std::string reason) {
  co_await Insert(session, migration, state, std::nullopt);
  const std::string event = state == State::kBaseline ? "migration.baseline" : "migration.applied";
  co_await Audit(session, event, migration.version, About(migration), reason);
}

Task<> InsertImported(Session& session, const Migration& migration, std::string table) {
  co_await Insert(session, migration, State::kBaseline, std::nullopt);
  co_await session.db().Query("UPDATE pgalter.migration SET told = true WHERE version = $1",
                              migration.version);
  json::object about = About(migration);
  about["table"] = table;
  co_await Audit(session, "migration.imported", migration.version, std::move(about), "");
}

Task<> MarkVerified(Session& session, std::string version) {
  co_await session.db().Query(
      "WITH verified AS (UPDATE pgalter.migration SET state = 'applied'"
      " WHERE version = $1 AND state = 'unverified' RETURNING version)"
      " SELECT pgalter.audit('migration.verified', version, '{}') FROM verified",
      version);
}

Task<> MarkReverting(Session& session, std::string version, std::string run) {
  co_await session.db().Query(
      "UPDATE pgalter.migration SET state = 'reverting', down_run = $2 WHERE version = $1", version,
      run);
  json::object about;
  about["run"] = run;
  co_await Audit(session, "migration.down-begin", version, std::move(about), "");
}

Task<> Remove(Session& session, std::string version, std::string event, std::string reason) {
  co_await session.db().Query("DELETE FROM pgalter.migration WHERE version = $1", version);
  json::object about;
  co_await Audit(session, event, version, std::move(about), reason);
}

Task<> TakeAsItIs(Session& session, std::string version, const Migration& now, std::string reason) {
  const pg::Result row = co_await session.db().Query(
      "UPDATE pgalter.migration SET version = $2, title = $3, file = $4, bytes_sha256 = $5,"
      " text_sha256 = $6, statements_sha256 = $7, header = $8::jsonb, format = $9, has_verify = "
      "$10,"
      " state = CASE WHEN state IN ('applying', 'reverting') THEN 'applied' ELSE state END,"
      " down_run = NULL WHERE version = $1"
      " RETURNING state, COALESCE(run::text, ''), applied_by",
      version, now.version, now.title, now.file, now.sums.bytes, now.sums.text, now.sums.statements,
      HeaderJson(now), now.format, !now.verify.empty());
  json::object about = About(now);
  if (!row.empty()) {
    about["state"] = row.Get<std::string>(0, 0);
    about["run"] = row.Get<std::string>(0, 1);
    about["applied_by"] = row.Get<std::string>(0, 2);
  }
  if (version != now.version) about["version_now"] = now.version;
  co_await Audit(session, "migration.repaired", version, std::move(about), reason);
}

Task<std::vector<std::string>> RunsToFinish(Session& session) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT r.run::text FROM pgalter.migration m JOIN pgalter.run r ON r.run = m.run"
      " WHERE r.state = 'done' AND m.state IN ('applied', 'unverified') AND EXISTS (SELECT FROM"
      " pgalter.artefact a WHERE a.run = r.run AND a.dropped_at IS NULL)"
      // What a rebuild keeps is its way back.
      " AND NOT EXISTS (SELECT FROM pgalter.rebuild b WHERE b.run = r.run) ORDER BY m.position");
  std::vector<std::string> runs;
  for (int i = 0; i < rows.rows(); ++i) runs.push_back(rows.Get<std::string>(i, 0));
  co_return runs;
}

Task<std::vector<Event>> ReadEvents(Session& session) {
  std::vector<Event> events;
  const pg::Result there =
      co_await session.db().Query("SELECT pg_catalog.to_regclass('pgalter.audit_log') IS NOT NULL");
  if (!there.Get<bool>(0, 0)) co_return events;
  const pg::Result rows = co_await session.db().Query(
      "SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), db_user,"
      " COALESCE(os_user, ''), event, subject, payload FROM pgalter.audit_log"
      " WHERE split_part(event, '.', 1) IN ('migration', 'policy', 'run', 'partition')"
      " AND event <> 'run.step-settled' ORDER BY seq");
  for (int i = 0; i < rows.rows(); ++i)
    events.push_back({rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1),
                      rows.Get<std::string>(i, 2), rows.Get<std::string>(i, 3),
                      rows.Get<std::string>(i, 4), rows.Get<std::string>(i, 5)});
  co_return events;
}

Task<Remembered> ReadRemembered(Session& session) {
  guard::TransactionOptions snapshot;
  snapshot.access = guard::Access::kReadOnly;
  snapshot.isolation = guard::Isolation::kRepeatableRead;
  Remembered remembered;
  auto read = [&]() -> Task<> {
    remembered.applied = co_await ReadApplied(session);
    remembered.events = co_await ReadEvents(session);
  };
  co_await guard::RunInTransaction(session, snapshot, read);
  co_return remembered;
}

}  // namespace pgalter::history
