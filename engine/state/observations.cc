#include "engine/state/observations.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <optional>

#include "engine/state/schema.h"

namespace pgalter::state {

namespace {

// Names by regclass and the statistics take no lock. An index that somebody builds at this moment
// is not valid yet, and that says nothing.
constexpr const char* kFacts = R"sql(
WITH RECURSIVE named AS (
  SELECT relid AS oid FROM pgalter.run_table WHERE run = $1
  UNION
  SELECT pg_catalog.to_regclass(name)::oid FROM unnest($2::text[]) name),
part AS (
  SELECT c.oid AS whole, c.oid
  FROM named m JOIN pg_class c ON c.oid = m.oid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pgalter(_[0-9a-f]{8}_|$)'
    AND NOT EXISTS (SELECT FROM pg_inherits i JOIN named whole ON whole.oid = i.inhparent
                    WHERE i.inhrelid = c.oid)
  UNION
  SELECT p.whole, i.inhrelid FROM part p JOIN pg_inherits i ON i.inhparent = p.oid),
waits AS (
  SELECT count(DISTINCT l.pid) AS sessions,
         max(extract(epoch FROM clock_timestamp() - l.waitstart))::float8 AS longest
  FROM pg_locks l
  WHERE NOT l.granted AND l.locktype IN ('relation', 'tuple', 'extend', 'page')
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.relation IN (SELECT oid FROM part)),
standby AS (
  SELECT count(*) AS number, max(extract(epoch FROM replay_lag))::float8 AS seconds,
         max(pg_wal_lsn_diff(CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn() END,
                             replay_lsn))::float8 AS bytes
  FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup'),
counted AS (
  SELECT p.whole, sum(s.n_live_tup) AS live, sum(s.n_dead_tup) AS dead, sum(s.seq_scan) AS seq_scans,
         sum(s.idx_scan) AS index_scans, sum(s.n_tup_ins) AS inserted, sum(s.n_tup_upd) AS updated,
         sum(s.n_tup_del) AS deleted
  FROM part p LEFT JOIN pg_stat_all_tables s ON s.relid = p.oid GROUP BY p.whole)
SELECT jsonb_build_object(
  'waiting', (SELECT sessions FROM waits),
  'longest_wait_s', coalesce((SELECT longest FROM waits), 0),
  'standbys', (SELECT number FROM standby),
  'lag_s', (SELECT seconds FROM standby), 'lag_bytes', (SELECT bytes FROM standby),
  'rollbacks', d.xact_rollback, 'deadlocks', d.deadlocks,
  'invalid_indexes', coalesce((SELECT jsonb_agg(i.indexrelid::regclass::text ORDER BY 1)
    FROM pg_index i WHERE i.indrelid IN (SELECT oid FROM part) AND NOT (i.indisvalid AND i.indisready)
      AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index b
                      WHERE b.index_relid = i.indexrelid)), '[]'),
  'not_validated', coalesce((SELECT jsonb_agg(DISTINCT k.conname ORDER BY k.conname)
    FROM pg_constraint k WHERE k.conrelid IN (SELECT oid FROM part) AND NOT k.convalidated), '[]'),
  'tables', coalesce((SELECT jsonb_object_agg(c.whole::regclass::text,
      to_jsonb(c) - 'whole') FROM counted c), '{}'))::text
FROM pg_stat_database d WHERE d.datname = current_database()
)sql";

}  // namespace

Task<boost::json::object> Observe(Session& session, std::string run,
                                  std::vector<std::string> also) {
  const pg::Result row = co_await session.db().Query(kFacts, run, also);
  co_return boost::json::parse(row.Get<std::string>(0, 0)).as_object();
}

Task<> RecordObservation(Session& session, std::string run, boost::json::object facts) {
  std::optional<pg::PgError> refused;
  try {
    co_await session.db().Query(
        "INSERT INTO pgalter.observation (run, facts) VALUES ($1, $2::jsonb)", run,
        boost::json::serialize(facts));
  } catch (const pg::PgError& error) {
    if (!error.Is("42501")) throw;
    refused = error;
  }
  if (refused) co_await ThrowWithGrant(session, *refused);
}

}  // namespace pgalter::state
