#include "engine/catalog/inventory.h"

namespace pgalter::catalog {

namespace {

// $1: a table's OID, with its partitions; 0: all that are no system's. What somebody holds in
// ACCESS EXCLUSIVE is not waited for: its size is the one that the last VACUUM or ANALYZE has seen,
// and what the server would render under a lock (ruleutils.c) is left out.
constexpr const char* kTables = R"sql(
WITH held AS MATERIALIZED (
  SELECT relation FROM pg_locks
  WHERE locktype = 'relation' AND granted AND mode = 'AccessExclusiveLock'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())),
tables (name, kind, logged, key, rows, dead, heap, indexes, toast, vacuumed, analysed, freeze_share) AS (
SELECT format('%I.%I', n.nspname, c.relname),
       CASE WHEN c.relkind = 'p' THEN 'partitioned' WHEN c.relkind = 'm' THEN 'matview'
            WHEN c.relispartition THEN 'partition' ELSE 'table' END,
       c.relpersistence <> 'u',
       coalesce((SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.place)
                 FROM unnest(key.columns) WITH ORDINALITY AS k (attnum, place)
                 JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum), ''),
       CASE WHEN c.reltuples >= 0 THEN c.reltuples::float8 END,
       coalesce(s.n_dead_tup, 0),
       CASE WHEN c.oid IN (SELECT relation FROM held)
            THEN c.relpages::int8 * current_setting('block_size')::int8
            ELSE coalesce(pg_relation_size(c.oid), 0) END,
       CASE WHEN c.oid IN (SELECT relation FROM held) THEN 0
            ELSE coalesce(pg_indexes_size(c.oid), 0) END,
       CASE WHEN c.reltoastrelid = 0 OR c.oid IN (SELECT relation FROM held) THEN 0
            ELSE coalesce(pg_total_relation_size(c.reltoastrelid), 0) END,
       coalesce(to_char(greatest(s.last_vacuum, s.last_autovacuum) AT TIME ZONE 'UTC',
                        'YYYY-MM-DD"T"HH24:MI:SS"Z"'), ''),
       coalesce(to_char(greatest(s.last_analyze, s.last_autoanalyze) AT TIME ZONE 'UTC',
                        'YYYY-MM-DD"T"HH24:MI:SS"Z"'), ''),
       CASE WHEN c.relfrozenxid::text <> '0' THEN age(c.relfrozenxid)::float8
              / current_setting('autovacuum_freeze_max_age')::float8 ELSE 0 END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
LEFT JOIN LATERAL (
  SELECT (i.indkey::int2[])[0:i.indnkeyatts - 1] AS columns FROM pg_index i
  WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
    AND i.indpred IS NULL AND i.indexprs IS NULL
    AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attnotnull
                      AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
  ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1) AS key ON true
WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
  AND ($1::oid = 0 OR c.oid = $1 OR c.oid IN (SELECT relid FROM pg_partition_tree($1)))
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgalter')
  AND n.nspname !~ '^pg_(toast|temp)')
SELECT * FROM tables ORDER BY heap + indexes + toast DESC, name
)sql";

// An index is covered by one of the same kind over the same rows that begins with the same columns,
// in the same order. Of two that are alike the one that does more stays, then the older one.
constexpr const char* kIndexes = R"sql(
WITH held AS MATERIALIZED (
  SELECT relation FROM pg_locks
  WHERE locktype = 'relation' AND granted AND mode = 'AccessExclusiveLock'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())),
indexes AS MATERIALIZED (
  SELECT i.*, c.relam, c.relpages, c.relispartition, c.relkind,
         format('%I.%I', n.nspname, c.relname) AS name,
         (i.indkey::int2[])[0:i.indnkeyatts - 1] AS keys,
         (i.indkey::int2[])[i.indnkeyatts:i.indnatts - 1] AS others,
         CASE WHEN i.indexprs IS NULL THEN '' WHEN t.oid IN (SELECT relation FROM held)
              THEN i.indexprs::text ELSE pg_get_expr(i.indexprs, i.indrelid) END AS expressions,
         CASE WHEN i.indpred IS NULL THEN '' WHEN t.oid IN (SELECT relation FROM held)
              THEN i.indpred::text ELSE pg_get_expr(i.indpred, i.indrelid) END AS predicate
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
  WHERE t.relkind IN ('r', 'p', 'm') AND t.relpersistence <> 't'
    AND ($1::oid = 0 OR t.oid = $1 OR t.oid IN (SELECT relid FROM pg_partition_tree($1)))
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgalter')
    AND n.nspname !~ '^pg_(toast|temp)')
SELECT i.name, format('%I.%I', n.nspname, t.relname),
       CASE WHEN t.oid IN (SELECT relation FROM held) THEN ''
            ELSE pg_get_indexdef(i.indexrelid) END,
       CASE WHEN i.relkind = 'I' THEN 0
            WHEN i.indexrelid IN (SELECT relation FROM held)
            THEN i.relpages::int8 * current_setting('block_size')::int8
            ELSE coalesce(pg_relation_size(i.indexrelid), 0) END,
       i.indisvalid, i.indisunique,
       coalesce((SELECT quote_ident(conname) FROM pg_constraint
                 WHERE conindid = i.indexrelid AND conrelid = i.indrelid AND contype <> 'f'
                 LIMIT 1), ''),
       coalesce(s.idx_scan, 0),
       coalesce((SELECT j.name FROM indexes j
                 WHERE j.indrelid = i.indrelid AND j.indexrelid <> i.indexrelid AND j.indisvalid
                   AND j.relam = i.relam AND j.expressions = i.expressions
                   AND j.predicate = i.predicate
                   AND (j.indnkeyatts = i.indnkeyatts
                        OR j.indnkeyatts > i.indnkeyatts AND NOT i.indisunique
                           AND i.relam = (SELECT oid FROM pg_am WHERE amname = 'btree'))
                   AND (NOT i.indisunique OR j.indisunique)
                   AND j.keys[1:i.indnkeyatts] = i.keys
                   AND (j.indclass::oid[])[0:i.indnkeyatts - 1]
                     = (i.indclass::oid[])[0:i.indnkeyatts - 1]
                   AND (j.indcollation::oid[])[0:i.indnkeyatts - 1]
                     = (i.indcollation::oid[])[0:i.indnkeyatts - 1]
                   AND (j.indoption::int2[])[0:i.indnkeyatts - 1]
                     = (i.indoption::int2[])[0:i.indnkeyatts - 1]
                   AND i.others <@ (j.keys || j.others)
                   AND (j.indnkeyatts, j.indisprimary, j.indisunique, cardinality(j.others),
                        -j.indexrelid::int8)
                     > (i.indnkeyatts, i.indisprimary, i.indisunique, cardinality(i.others),
                        -i.indexrelid::int8)
                 ORDER BY j.indnkeyatts DESC, j.indexrelid LIMIT 1), ''),
       i.indisprimary OR i.indisexclusion OR i.indisreplident OR i.relispartition
         OR EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
FROM indexes i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_stat_all_indexes s ON s.indexrelid = i.indexrelid
ORDER BY 4 DESC, 1
)sql";

constexpr const char* kConstraints = R"sql(
WITH held AS MATERIALIZED (
  SELECT relation FROM pg_locks
  WHERE locktype = 'relation' AND granted AND mode = 'AccessExclusiveLock'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
SELECT quote_ident(k.conname), format('%I.%I', n.nspname, t.relname),
       CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'f' THEN 'foreign key'
                      WHEN 'u' THEN 'unique' WHEN 'c' THEN 'check' ELSE 'exclusion' END,
       CASE WHEN k.conrelid IN (SELECT relation FROM held) THEN ''
            ELSE pg_get_constraintdef(k.oid) END, k.convalidated,
       k.contype = 'f' AND NOT EXISTS (
         SELECT FROM pg_index i
         WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
           AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE k.contype IN ('p', 'f', 'u', 'c', 'x') AND k.conparentid = 0 AND t.relpersistence <> 't'
  AND NOT (k.contype = 'c' AND NOT k.conislocal)
  AND ($1::oid = 0 OR t.oid = $1 OR t.oid IN (SELECT relid FROM pg_partition_tree($1)))
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgalter')
  AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY 2, k.contype <> 'p', 3, 1
)sql";

}  // namespace

Task<std::vector<TableFacts>> ReadTables(Session& session, pg::Oid table) {
  const pg::Result rows = co_await session.db().Query(kTables, table);
  std::vector<TableFacts> all;
  for (int i = 0; i < rows.rows(); ++i) {
    TableFacts facts;
    facts.name = rows.Get<std::string>(i, 0);
    facts.kind = rows.Get<std::string>(i, 1);
    facts.logged = rows.Get<bool>(i, 2);
    facts.key = rows.Get<std::string>(i, 3);
    if (!rows.IsNull(i, 4)) facts.rows = rows.Get<double>(i, 4);
    facts.dead_rows = rows.Get<std::int64_t>(i, 5);
    facts.heap_bytes = rows.Get<std::int64_t>(i, 6);
    facts.index_bytes = rows.Get<std::int64_t>(i, 7);
    facts.toast_bytes = rows.Get<std::int64_t>(i, 8);
    facts.vacuumed = rows.Get<std::string>(i, 9);
    facts.analysed = rows.Get<std::string>(i, 10);
    facts.freeze_share = rows.Get<double>(i, 11);
    all.push_back(std::move(facts));
  }
  co_return all;
}

Task<std::vector<IndexFacts>> ReadIndexes(Session& session, pg::Oid table) {
  const pg::Result rows = co_await session.db().Query(kIndexes, table);
  std::vector<IndexFacts> all;
  for (int i = 0; i < rows.rows(); ++i) {
    IndexFacts facts;
    facts.name = rows.Get<std::string>(i, 0);
    facts.table = rows.Get<std::string>(i, 1);
    facts.definition = rows.Get<std::string>(i, 2);
    facts.bytes = rows.Get<std::int64_t>(i, 3);
    facts.valid = rows.Get<bool>(i, 4);
    facts.unique = rows.Get<bool>(i, 5);
    facts.constraint = rows.Get<std::string>(i, 6);
    facts.scans = rows.Get<std::int64_t>(i, 7);
    facts.covered_by = rows.Get<std::string>(i, 8);
    facts.needed = rows.Get<bool>(i, 9);
    all.push_back(std::move(facts));
  }
  co_return all;
}

Task<std::vector<ConstraintFacts>> ReadConstraints(Session& session, pg::Oid table) {
  const pg::Result rows = co_await session.db().Query(kConstraints, table);
  std::vector<ConstraintFacts> all;
  for (int i = 0; i < rows.rows(); ++i) {
    ConstraintFacts facts;
    facts.name = rows.Get<std::string>(i, 0);
    facts.table = rows.Get<std::string>(i, 1);
    facts.kind = rows.Get<std::string>(i, 2);
    facts.definition = rows.Get<std::string>(i, 3);
    facts.validated = rows.Get<bool>(i, 4);
    facts.without_index = rows.Get<bool>(i, 5);
    all.push_back(std::move(facts));
  }
  co_return all;
}

Task<std::string> CountedSince(Session& session) {
  const pg::Result row = co_await session.db().Query(
      "SELECT coalesce(to_char(stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
      " '') FROM pg_stat_database WHERE datname = current_database()");
  co_return row.Get<std::string>(0, 0);
}

}  // namespace pgalter::catalog
