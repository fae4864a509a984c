#include "batcher/backfill/target.h"

#include <fmt/format.h>

#include <algorithm>

#include "batcher/backfill/rights.h"
#include "batcher/backfill/role_settings.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::backfill {

using run::ExitCode;
using run::Failure;

namespace {

// pg_proc.prokind etc. are not asked: hashing needs the type's default hash support function with
// a seed (support number 2, docs "Hash Support Functions"), written with its schema.
constexpr const char* kLeafSql = R"sql(
WITH RECURSIVE tree AS (
  SELECT $1::oid AS oid
  UNION ALL
  SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON i.inhparent = t.oid
)
SELECT c.oid,
       format('%I.%I', n.nspname, c.relname),
       COALESCE(pg_relation_filenode(c.oid), 0),
       pg_relation_size(c.oid) / current_setting('block_size')::bigint,
       CASE WHEN c.reltuples > 0 AND c.relpages > 0
            THEN c.reltuples::float8 / c.relpages ELSE -1 END,
       COALESCE(k.position, '(pg_catalog.hashtidextended(ctid, 0) & 63)'),
       COALESCE(k.key, 'ctid::pg_catalog.text'),
       EXISTS (SELECT FROM pg_index x
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = ANY ($2::text[])
               WHERE x.indrelid = c.oid
                 AND (a.attnum = ANY (x.indkey)
                      OR EXISTS (SELECT FROM pg_depend d
                                 WHERE d.classid = 'pg_class'::regclass AND d.objid = x.indexrelid
                                   AND d.refobjid = c.oid AND d.refobjsubid = a.attnum)))
FROM tree
JOIN pg_class c ON c.oid = tree.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
  SELECT x.indexrelid FROM pg_index x
  WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid AND x.indpred IS NULL
    AND x.indexprs IS NULL
    AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
                    AND a.attnum = ANY (x.indkey) AND (NOT a.attnotnull
                        OR a.attname = ANY ($2::text[])))
  ORDER BY x.indisprimary DESC, x.indnatts, x.indexrelid LIMIT 1) u ON true
LEFT JOIN LATERAL (
  SELECT CASE
           -- Neighbours have neighbouring numbers, mostly: times 39 (64 divided by the golden ratio)
           -- spreads any run of them evenly, which no hash does.
           WHEN count(*) = 1 AND min(h.atttypid) IN (20, 21, 23)
             THEN format('((%I & 63) * 39 & 63)', min(h.attname))
           -- Each column's hash seeds the next one's.
           WHEN count(*) = count(h.proc)
             THEN '(' || string_agg(format('%s(%I, ', h.proc, h.attname), '' ORDER BY h.n DESC)
               || '0' || repeat(')', count(*)::int) || ' & 63)'
         END AS position,
         'pg_catalog.jsonb_build_object('
           || string_agg(format('%L::pg_catalog.text, %I', h.attname, h.attname), ', ' ORDER BY h.n)
           || ')::pg_catalog.text' AS key
  FROM (SELECT a.attname, a.atttypid, key_column.n,
               (SELECT format('%I.%I', pn.nspname, p.proname)
                FROM pg_type t
                JOIN pg_opclass oc ON oc.opcdefault
                  AND oc.opcmethod = (SELECT am.oid FROM pg_am am WHERE am.amname = 'hash')
                  AND (oc.opcintype = t.oid OR oc.opcintype = t.typbasetype
                       OR EXISTS (SELECT FROM pg_cast ca WHERE ca.castsource = t.oid
                                  AND ca.casttarget = oc.opcintype AND ca.castmethod = 'b'
                                  AND ca.castcontext = 'i')
                       OR t.typtype = 'e' AND oc.opcintype = 'anyenum'::regtype)
                JOIN pg_amproc ap ON ap.amprocfamily = oc.opcfamily AND ap.amprocnum = 2
                  AND ap.amproclefttype = oc.opcintype AND ap.amprocrighttype = oc.opcintype
                JOIN pg_proc p ON p.oid = ap.amproc
                JOIN pg_namespace pn ON pn.oid = p.pronamespace
                WHERE t.oid = a.atttypid
                ORDER BY oc.opcintype = t.oid DESC, oc.oid LIMIT 1) AS proc
        FROM pg_index x
        CROSS JOIN LATERAL unnest(x.indkey[0:x.indnkeyatts - 1]) WITH ORDINALITY
                             AS key_column (attnum, n)
        JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = key_column.attnum
        WHERE x.indexrelid = u.indexrelid) h) k ON u.indexrelid IS NOT NULL
WHERE c.relkind = 'r' AND ($3::oid = 0 OR c.oid = $3::oid)
ORDER BY c.oid
)sql";

// Rows per page where nobody has analysed the table yet: counted in its first blocks.
Task<double> SampleDensity(Session& session, const std::string& name, Block blocks) {
  constexpr Block kSample = 64;
  if (blocks == 0) co_return 0;
  const Block sampled = std::min(kSample, blocks);
  const pg::Result count = co_await session.db().Query(
      fmt::format("SELECT count(*) FROM ONLY {} WHERE ctid < $1::tid", name), Tid(sampled));
  co_return static_cast<double>(count.Get<std::int64_t>(0, 0)) / static_cast<double>(sampled);
}

Task<Leaf> LeafFromRow(Session& session, const pg::Result& rows, int i, const std::string& alias) {
  Leaf leaf;
  leaf.oid = rows.Get<pg::Oid>(i, 0);
  leaf.relation.name = rows.Get<std::string>(i, 1);
  leaf.relation.alias = alias;
  leaf.filenode = rows.Get<pg::Oid>(i, 2);
  leaf.blocks = rows.Get<std::int64_t>(i, 3);
  leaf.shape.rows_per_page = rows.Get<double>(i, 4);
  leaf.relation.position = rows.Get<std::string>(i, 5);
  leaf.relation.key = rows.Get<std::string>(i, 6);
  leaf.shape.target_indexed = rows.Get<bool>(i, 7);
  if (leaf.shape.rows_per_page < 0)
    leaf.shape.rows_per_page = co_await SampleDensity(session, leaf.relation.name, leaf.blocks);
  leaf.rows = leaf.shape.rows_per_page * static_cast<double>(leaf.blocks);
  co_return leaf;
}

Task<std::vector<Leaf>> ReadLeaves(Session& session, pg::Oid table, const Spec& spec,
                                   pg::Oid only) {
  std::vector<std::string> targets;
  for (const auto& set : spec.resolved) targets.push_back(set.column);
  std::vector<Leaf> leaves;
  const pg::Result rows = co_await session.db().Query(kLeafSql, table, targets, only);
  for (int i = 0; i < rows.rows(); ++i)
    leaves.push_back(co_await LeafFromRow(session, rows, i, sql::QuoteIdentifier(spec.alias)));
  co_return leaves;
}

// 0: no such relation.
Task<pg::Oid> LookUp(Session& session, const std::string& name, const Spec& spec) {
  auto look_up = [&]() -> Task<pg::Oid> {
    const pg::Result found =
        co_await session.db().Query("SELECT COALESCE(to_regclass($1)::oid, 0)", name);
    co_return found.Get<pg::Oid>(0, 0);
  };
  co_return co_await UnderRoleSettings(session, spec, look_up);
}

}  // namespace

std::string WhyNoTable(char relkind) {
  switch (relkind) {
    case 'r':
    case 'p':
      return "";
    case 'v':
      return "a view: name the table under it";
    case 'm':
      return "a materialized view, which holds what its query says: change that, and refresh it";
    case 'f':
      return "a foreign table: its rows are on another server, and are changed there";
    case 'i':
    case 'I':
      return "an index, not a table: name its table";
    case 'S':
      return "a sequence, not a table";
    default:
      return "not a table";
  }
}

Task<pg::Oid> FindOid(Session& session, const Spec& spec) {
  const std::string& text = spec.table;
  const auto parsed = sql::ParseQualifiedName(text);
  if (!parsed)
    throw Failure(ExitCode::kUsage,
                  fmt::format("\"{}\" is no table name: {}. Write it as in SQL: schema.table, or "
                              "\"Odd Name\" in double quotes",
                              text, parsed.error().message));
  const pg::Oid oid = co_await LookUp(session, sql::ToString(*parsed), spec);
  if (oid == 0)
    throw Failure(ExitCode::kUsage,
                  fmt::format("there is no table {} in database {} (search_path looked through); "
                              "name it with its schema",
                              sql::ToString(*parsed), session.db().database()));
  co_return oid;
}

Task<Table> FindTable(Session& session, const Spec& spec, std::string tried) {
  const pg::Oid oid = co_await FindOid(session, spec);
  co_return co_await FindTableByOid(session, oid, std::move(tried));
}

Task<Table> FindTableByOid(Session& session, pg::Oid oid, std::string tried) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT c.oid, format('%I.%I', n.nspname, c.relname), c.relname, c.relkind,"
      " c.relpersistence = 't', pg_has_role(c.relowner, 'USAGE'),"
      " n.nspname IN ('pg_catalog', 'information_schema', 'pgalter', 'pg_toast'),"
      " c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid)"
      " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1",
      oid);
  if (rows.empty())
    throw Failure(ExitCode::kError,
                  fmt::format("the table (OID {}) is not there any more: it was dropped", oid));
  Table table;
  table.oid = rows.Get<pg::Oid>(0, 0);
  table.name = rows.Get<std::string>(0, 1);
  table.relname = rows.Get<std::string>(0, 2);
  const char kind = rows.Bytes(0, 3).front();
  table.partitioned = kind == 'p';
  table.owned = rows.Get<bool>(0, 5);
  table.inherited = rows.Get<bool>(0, 7);
  std::string refusal = WhyNoTable(kind);
  if (refusal.empty() && rows.Get<bool>(0, 4))
    refusal = "a temporary table, which only its own session sees";
  if (!refusal.empty())
    throw Failure(ExitCode::kRefused,
                  fmt::format("cannot {} {}: it is {}", tried, table.name, refusal));
  if (rows.Get<bool>(0, 6))
    throw Failure(ExitCode::kRefused,
                  fmt::format("cannot {} {}: it belongs to the system", tried, table.name));
  const std::string missing = co_await MissingRights(session, table.oid);
  if (!missing.empty()) throw Failure(ExitCode::kUnsupported, missing);
  co_return table;
}

Task<> RefuseForeignPartitions(Session& session, pg::Oid table) {
  const pg::Result row = co_await session.db().Query(
      "SELECT c.oid::regclass::text, $1::oid::regclass::text FROM pg_partition_tree($1) p"
      " JOIN pg_class c ON c.oid = p.relid WHERE c.relkind = 'f' ORDER BY 1 LIMIT 1",
      table);
  if (row.empty()) co_return;
  throw Failure(ExitCode::kRefused,
                fmt::format("cannot change the rows of {1}: its partition {0} is a foreign table, "
                            "whose rows are on another server, and are changed there. Name the "
                            "other partitions one by one, or detach {0} before",
                            row.Get<std::string>(0, 0), row.Get<std::string>(0, 1)));
}

Task<std::vector<Leaf>> FindLeaves(Session& session, pg::Oid table, const Spec& spec) {
  co_await RefuseForeignPartitions(session, table);
  co_return co_await ReadLeaves(session, table, spec, 0);
}

Task<std::optional<Leaf>> FindLeaf(Session& session, pg::Oid leaf, pg::Oid table,
                                   const Spec& spec) {
  auto found = co_await ReadLeaves(session, table, spec, leaf);
  if (found.empty()) co_return std::nullopt;
  co_return std::move(found.front());
}

Task<std::vector<std::string>> FiringTriggers(Session& session, pg::Oid table) {
  // tgtype: 1 row, 16 UPDATE (pg_trigger.h).
  const pg::Result rows = co_await session.db().Query(
      "SELECT format('%I on %s', tgname, tgrelid::regclass) FROM pg_trigger"
      " WHERE tgrelid = $1 AND NOT tgisinternal AND tgtype & 16 <> 0 AND tgenabled IN ('O', 'A')"
      " ORDER BY tgname",
      table);
  std::vector<std::string> names;
  for (int i = 0; i < rows.rows(); ++i) names.push_back(rows.Get<std::string>(i, 0));
  co_return names;
}

}  // namespace pgalter::backfill
