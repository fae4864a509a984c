#include "batcher/partition/lookup.h"

#include <fmt/format.h>

#include <algorithm>

#include "batcher/dependants/key_triggers.h"
#include "batcher/dependants/labels.h"
#include "batcher/dependants/obstacles.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using sql::QuoteIdentifier;

namespace {

// What a partitioned table cannot have, or what would mean something else afterwards; each with its
// kind, as hindrance.h has them, and the way out. $1 the table, $2 the partition column.
constexpr const char* kObstacles = R"sql(
SELECT 'partitioned', 'it is partitioned already: pgalter partition list shows how, and pgalter '
  'rebuild --definition FILE parts it otherwise' FROM pg_class WHERE oid = $1 AND relkind = 'p'
UNION ALL
SELECT 'temporary', 'it is temporary' FROM pg_class WHERE oid = $1 AND relpersistence = 't'
UNION ALL
SELECT 'inherits', 'it inherits, or is inherited from: NO INHERIT first'
WHERE EXISTS (SELECT FROM pg_inherits WHERE inhrelid = $1 OR inhparent = $1)
UNION ALL
SELECT 'typed', 'it is a typed table: ALTER TABLE ... NOT OF first' FROM pg_class
WHERE oid = $1 AND reloftype <> 0
UNION ALL
SELECT 'excludes', format('constraint %I excludes rows, which no partitioned table can: drop it first',
              conname)
FROM pg_constraint WHERE conrelid = $1 AND contype = 'x'
UNION ALL
SELECT 'excludes', format('constraint %I is over a period, WITHOUT OVERLAPS or PERIOD, which the new '
              'table is not given: drop it before, and add it again after', conname)
FROM pg_constraint k WHERE conrelid = $1 AND (to_jsonb(k)->>'conperiod')::bool
UNION ALL
SELECT CASE contype WHEN 'c' THEN 'check-not-valid' ELSE 'foreign-key-not-valid' END,
       format(CASE WHEN (to_jsonb(k)->>'conenforced')::bool IS FALSE
                THEN 'constraint %1$I is NOT ENFORCED, and comes along with no conversion: drop it '
                     'before, and add it again after'
                ELSE 'constraint %1$I is not valid, and a partition''s has to be: ALTER TABLE ... '
                     'VALIDATE CONSTRAINT %1$I first' END, conname)
FROM pg_constraint k WHERE conrelid = $1 AND contype IN ('c', 'f') AND NOT convalidated
  AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid)
UNION ALL
SELECT 'no-inherit', format('constraint %I is NO INHERIT: add it again without', conname)
FROM pg_constraint WHERE conrelid = $1 AND contype = 'c' AND connoinherit
UNION ALL
SELECT 'refers-to-itself',
       format('foreign key %I refers to the table itself by a key that stays: drop it before, and add '
              'it again after', conname)
FROM pg_constraint f WHERE conrelid = $1 AND contype = 'f' AND confrelid = $1
  AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = $1 AND attname = $2
              AND attnum = ANY (f.confkey))
UNION ALL
SELECT 'transition-tables', format('row trigger %I has transition tables, which a partition''s cannot have: make it a '
              'trigger FOR EACH STATEMENT', tgname)
FROM pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal AND tgtype & 1 = 1
  AND (tgoldtable IS NOT NULL OR tgnewtable IS NOT NULL)
UNION ALL
SELECT 'replica-identity', 'its replica identity is an index: ALTER TABLE ... REPLICA IDENTITY DEFAULT or FULL first'
FROM pg_class WHERE oid = $1 AND relreplident = 'i'
UNION ALL
SELECT 'index-not-valid', format('index %s is not valid: drop it, or make it again', indexrelid::regclass)
FROM pg_index WHERE indrelid = $1 AND NOT indisvalid
UNION ALL
SELECT 'publication',
       format('publication %I sends partitions under their own names, which subscribers do not '
              'know: ALTER PUBLICATION %I SET (publish_via_partition_root = true) first', p.pubname,
              p.pubname)
FROM pg_publication p WHERE NOT p.pubviaroot
  AND EXISTS (SELECT FROM pg_publication_tables t JOIN pg_class c ON c.oid = $1
              JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE t.pubname = p.pubname AND t.schemaname = n.nspname AND t.tablename = c.relname)
UNION ALL
SELECT CASE WHEN EXISTS (SELECT FROM pg_constraint WHERE conrelid = $1 AND contype = 'p')
            THEN 'null-in-primary-key' ELSE 'null' END,
       format('column %I may be NULL, and no range holds NULL: make it NOT NULL first (pgalter run '
              '--sql ''ALTER TABLE %s ALTER COLUMN %I SET NOT NULL'')', attname,
              attrelid::regclass, attname)
FROM pg_attribute WHERE attrelid = $1 AND attname = $2 AND NOT attnotnull
UNION ALL
SELECT 'generated', format('column %I is generated, and cannot part the rows', attname)
FROM pg_attribute WHERE attrelid = $1 AND attname = $2 AND attgenerated <> ''
UNION ALL
SELECT 'view-by-key',
       format('view %s leans on constraint %I, which changes: name all columns in its GROUP BY, or '
              'drop it before and make it again after', r.ev_class::regclass, c.conname)
FROM pg_constraint c
JOIN pg_depend d ON d.refclassid = 'pg_constraint'::regclass AND d.refobjid = c.oid
  AND d.classid = 'pg_rewrite'::regclass
JOIN pg_rewrite r ON r.oid = d.objid WHERE c.conrelid = $1
UNION ALL
SELECT 'publication-columns',
       format('publication %I sends columns without %I, which becomes a part of the key: add it to '
              'its list first', p.pubname, $2::text)
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
JOIN pg_attribute a ON a.attrelid = r.prrelid AND a.attname = $2
WHERE r.prrelid = $1 AND to_jsonb(r) ->> 'prattrs' IS NOT NULL
  AND NOT to_jsonb(r) -> 'prattrs' @> to_jsonb(a.attnum::int)
)sql";

// Foreign keys that refer to a key without one of the columns, $2 their names; by what depends on
// the table, as pg_constraint has no index for them.
constexpr const char* kInbound = R"sql(
SELECT r.name, quote_ident(f.conname),
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', r.name, f.conname, pg_get_constraintdef(f.oid)),
       f.oid, f.conrelid, f.conrelid = $1, NOT r.part AND f.conrelid <> $1,
       (SELECT quote_ident(relname) FROM pg_class WHERE oid = f.conindid),
       (SELECT format('COMMENT ON CONSTRAINT %I ON %s IS %L', f.conname, r.name, d)
        FROM obj_description(f.oid, 'pg_constraint') d WHERE d IS NOT NULL)
FROM (SELECT DISTINCT objid FROM pg_depend WHERE classid = 'pg_constraint'::regclass
        AND refclassid = 'pg_class'::regclass AND refobjid = $1) d
JOIN pg_constraint f ON f.oid = d.objid
CROSS JOIN LATERAL (
  SELECT format('%I.%I', n.nspname, c.relname) AS name,
         c.relispartition AS part FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = f.conrelid) r
WHERE f.confrelid = $1 AND f.contype = 'f' AND f.conparentid = 0
  AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = $1 AND attname = ANY ($2::text[])
              AND attnum <> ALL (f.confkey))
ORDER BY 1, 2
)sql";

// Unique keys that lack one of the columns, and whether they can be widened by what they lack, in
// the order of $2.
constexpr const char* kKeys = R"sql(
SELECT quote_ident(c.relname),
       CASE con.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' ELSE '' END,
       (SELECT string_agg(pg_get_indexdef(x.indexrelid, n, true), ', ' ORDER BY n)
        FROM generate_series(1, x.indnkeyatts) n),
       coalesce(' INCLUDE (' || (SELECT string_agg(pg_get_indexdef(x.indexrelid, n, true), ', '
                                                   ORDER BY n)
                FROM generate_series(x.indnkeyatts + 1, x.indnatts) n) || ')', ''),
       CASE WHEN con.condeferrable THEN ' DEFERRABLE' ELSE '' END
         || CASE WHEN con.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END,
       x.indexprs IS NULL AND x.indpred IS NULL
         AND NOT coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::bool, false)
         AND NOT EXISTS (SELECT FROM unnest(x.indclass) o (oid) JOIN pg_opclass oc USING (oid)
                         WHERE NOT oc.opcdefault)
         AND 0 = ALL (x.indoption[0:x.indnkeyatts - 1])
         AND NOT EXISTS (SELECT FROM generate_series(0, x.indnkeyatts - 1) n JOIN pg_attribute a
                         ON a.attrelid = x.indrelid AND a.attnum = x.indkey[n]
                         WHERE a.attcollation <> x.indcollation[n]),
       coalesce(' WITH (' || array_to_string(c.reloptions, ', ') || ')', ''),
       (SELECT quote_ident(o.relname) FROM pg_index y JOIN pg_class o ON o.oid = y.indexrelid
        WHERE y.indrelid = x.indrelid AND y.indisunique AND y.indexprs IS NULL AND y.indpred IS NULL
          AND (SELECT array_agg(k ORDER BY n) FROM unnest(y.indkey[0:y.indnkeyatts - 1])
               WITH ORDINALITY u (k, n))
            = (SELECT array_agg(k ORDER BY n) FROM unnest(x.indkey[0:x.indnkeyatts - 1])
               WITH ORDINALITY u (k, n))
              || m.numbers
        LIMIT 1), m.names,
       coalesce(' TABLESPACE ' || (SELECT quote_ident(spcname) FROM pg_tablespace
                                   WHERE oid = c.reltablespace), '')
FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
LEFT JOIN pg_constraint con ON con.conindid = x.indexrelid AND con.conrelid = x.indrelid
  AND con.contype IN ('p', 'u')
CROSS JOIN LATERAL (
  SELECT array_agg(a.attnum ORDER BY w.n) AS numbers,
         string_agg(quote_ident(a.attname), ', ' ORDER BY w.n) AS names
  FROM unnest($2::text[]) WITH ORDINALITY w (name, n)
  JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attname = w.name
  WHERE a.attnum <> ALL (x.indkey[0:x.indnkeyatts - 1])) m
WHERE x.indrelid = $1 AND x.indisunique AND m.numbers IS NOT NULL
ORDER BY x.indisprimary DESC, c.relname
)sql";

KeyType TypeOf(Epoch epoch) {
  switch (epoch) {
    case Epoch::kSeconds:
      return KeyType::kEpochSeconds;
    case Epoch::kMilliseconds:
      return KeyType::kEpochMilliseconds;
    case Epoch::kNone:
      break;
  }
  return KeyType::kInteger;
}

const char* WidthsOf(KeyType type) {
  if (type == KeyType::kNumeric) return "a whole number, as 1000000";
  if (type == KeyType::kInteger)
    return "a number, as 1000000; where it counts time: --epoch seconds|milliseconds";
  return "a time, as '1 month' or '7 days'";
}

}  // namespace

Task<Hindrance> FindHindrance(Session& session, pg::Oid table, std::string column) {
  const pg::Result rows = co_await session.db().Query(kObstacles, table, column);
  Hindrance hindrance;
  // What no copy gets around counts before what one does.
  for (int i = 0; i < rows.rows(); ++i) {
    hindrance.instead = InsteadOf(rows.Get<std::string>(i, 0));
    hindrance.why = rows.Get<std::string>(i, 1);
    if (hindrance.instead == Instead::kNothing) co_return hindrance;
  }
  std::string label = co_await dependants::FindLabelToBeLost(session, table);
  if (!label.empty()) {
    hindrance.why = std::move(label);
    hindrance.instead = Instead::kNothing;
    co_return hindrance;
  }
  std::string off =
      co_await dependants::FindKeyTriggersOff(session, table, dependants::KeyTriggers::kInTheWay);
  if (!off.empty()) {
    hindrance.why = std::move(off);
    hindrance.instead = Instead::kNothing;
    co_return hindrance;
  }
  std::string dependant = co_await dependants::FindObstacle(session, table);
  if (dependant.empty()) co_return hindrance;
  const std::string others =
      co_await dependants::FindObstacle(session, table, dependants::Matviews::kFollow);
  hindrance.why = std::move(dependant);
  hindrance.instead = InsteadOf(others.empty() ? "materialized-view" : "dependant");
  co_return hindrance;
}

Task<std::vector<InboundKey>> FindInboundKeys(Session& session, pg::Oid table,
                                              std::vector<std::string> columns) {
  const pg::Result rows = co_await session.db().Query(kInbound, table, columns);
  std::vector<InboundKey> keys;
  for (int i = 0; i < rows.rows(); ++i)
    keys.push_back({rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1),
                    rows.Get<std::string>(i, 2), rows.Get<pg::Oid>(i, 3), rows.Get<pg::Oid>(i, 4),
                    rows.Get<bool>(i, 5), rows.Get<bool>(i, 6), rows.Get<std::string>(i, 7),
                    rows.Get<std::optional<std::string>>(i, 8).value_or("")});
  co_return keys;
}

Task<> RequireColumn(Session& session, const backfill::Table& table, std::string name) {
  const pg::Result row = co_await session.db().Query(
      "SELECT FROM pg_attribute WHERE attrelid = $1 AND attname = $2 AND attnum > 0"
      " AND NOT attisdropped",
      table.oid, name);
  if (!row.empty()) co_return;
  const pg::Result columns = co_await session.db().Query(
      "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
      " WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped",
      table.oid);
  throw Failure(ExitCode::kUsage,
                fmt::format("{} has no column {}. It has: {}", table.name, QuoteIdentifier(name),
                            columns.Get<std::optional<std::string>>(0, 0).value_or("none")));
}

Task<> RequireNotNull(Session& session, const backfill::Table& table, std::string name) {
  const pg::Result row = co_await session.db().Query(
      "SELECT attnotnull FROM pg_attribute WHERE attrelid = $1 AND attname = $2", table.oid, name);
  if (row.Get<bool>(0, 0)) co_return;
  const std::string column = QuoteIdentifier(name);
  throw Failure(ExitCode::kRefused,
                fmt::format("column {0} of {1} may be NULL, which no primary key with it could be: "
                            "make it NOT NULL first (pgalter run --sql 'ALTER TABLE {1} ALTER "
                            "COLUMN {0} SET NOT NULL'). Nothing was changed",
                            column, table.name));
}

Task<KeyColumn> FindColumn(Session& session, const backfill::Table& table, std::string name,
                           Epoch epoch) {
  co_await RequireColumn(session, table, name);
  const pg::Result row = co_await session.db().Query(
      "SELECT atttypid::int4, format_type(atttypid, atttypmod) FROM pg_attribute"
      " WHERE attrelid = $1 AND attname = $2 AND attnum > 0 AND NOT attisdropped",
      table.oid, name);
  KeyColumn column;
  column.name = std::move(name);
  switch (row.Get<int>(0, 0)) {
    case 1082:
      column.type = KeyType::kDate;
      break;
    case 1114:
      column.type = KeyType::kTimestamp;
      break;
    case 1184:
      column.type = KeyType::kTimestamptz;
      break;
    case 20:
    case 21:
    case 23:
      column.type = TypeOf(epoch);
      break;
    case 1700:
      column.type = KeyType::kNumeric;
      break;
    case 2950:
      column.type = KeyType::kUuid;
      break;
    default:
      throw Failure(
          ExitCode::kUsage,
          fmt::format("column {} is of type {}: --every counts ranges of date, "
                      "timestamp, timestamptz, integers, numeric and uuid of version 7; of "
                      "others say where each begins (partition convert --values g,n,t; split "
                      "--at g)",
                      QuoteIdentifier(column.name), row.Get<std::string>(0, 1)));
  }
  if (epoch != Epoch::kNone && (!IsNumber(column.type) || column.type == KeyType::kNumeric))
    throw Failure(ExitCode::kUsage,
                  fmt::format("--epoch is for integers, and column {} is of type {}",
                              QuoteIdentifier(column.name), row.Get<std::string>(0, 1)));
  co_await RefuseNoMoments(session, table, column);
  co_return column;
}

Period PeriodOf(const std::string& every, const KeyColumn& column) {
  const auto period = ParsePeriod(every);
  const bool number = IsCounted(column.type);
  if (!period || (period->unit == Unit::kNumber) != number)
    throw Failure(ExitCode::kUsage,
                  fmt::format("--every \"{}\" is no width of a range of {}: write {}", every,
                              QuoteIdentifier(column.name), WidthsOf(column.type)));
  if (period->unit == Unit::kHour && column.type == KeyType::kDate)
    throw Failure(ExitCode::kUsage, "a range of dates is at least one day wide");
  return *period;
}

Task<> RefuseUnknownZone(Session& session, std::string zone) {
  const pg::Result row = co_await session.db().Query(
      "SELECT EXISTS (SELECT FROM pg_timezone_names WHERE lower(name) = lower($1))", zone);
  if (row.Get<bool>(0, 0)) co_return;
  throw Failure(ExitCode::kUsage,
                fmt::format("--time-zone \"{}\" is not known to the server: write it as in "
                            "Europe/Berlin",
                            zone));
}

Task<std::vector<WidenedKey>> FindWidenedKeys(Session& session, pg::Oid table,
                                              std::vector<std::string> columns) {
  const pg::Result rows = co_await session.db().Query(kKeys, table, columns);
  std::vector<WidenedKey> keys;
  for (int i = 0; i < rows.rows(); ++i) {
    WidenedKey key;
    key.index = rows.Get<std::string>(i, 0);
    key.constraint = rows.Get<std::string>(i, 1);
    key.columns = rows.Get<std::string>(i, 2);
    const auto added = rows.Get<std::string>(i, 8);
    key.wide = key.columns + ", " + added;
    key.lacks = added;
    key.rest = rows.Get<std::string>(i, 3);
    key.deferrable = rows.Get<std::string>(i, 4);
    if (!rows.Get<bool>(i, 5))
      throw Failure(ExitCode::kRefused,
                    fmt::format("unique index {} lacks {}, and is too special to be widened by it: "
                                "drop it before. Nothing was changed",
                                key.index, added));
    key.storage = rows.Get<std::string>(i, 6);
    key.tablespace = rows.Get<std::string>(i, 9);
    const auto twin = rows.Get<std::optional<std::string>>(i, 7);
    if (twin)
      throw Failure(
          ExitCode::kRefused,
          fmt::format("unique key {} would become ({}), which {} is already: make {} the "
                      "only one of the two first (of a primary key: DROP CONSTRAINT, then "
                      "ADD PRIMARY KEY USING INDEX). Nothing was changed",
                      key.index, key.wide, *twin, *twin));
    keys.push_back(std::move(key));
  }
  co_return keys;
}

void RefuseLongName(const std::string& name) {
  constexpr std::size_t kMost = 63;
  if (name.size() > kMost)
    throw Failure(ExitCode::kUsage,
                  fmt::format("--name \"{}\" has {} bytes, and the server keeps {} of a name", name,
                              name.size(), kMost));
}

std::string PartName(const std::string& relname, const std::string& end) {
  constexpr std::size_t kMost = 63;
  if (relname.size() + end.size() <= kMost) return QuoteIdentifier(relname + end);
  std::size_t cut = kMost - end.size();
  // Not within a character.
  while (cut > 0 && (static_cast<unsigned char>(relname[cut]) & 0xC0U) == 0x80U) --cut;
  return QuoteIdentifier(relname.substr(0, cut) + end);
}

std::string Unquoted(const std::string& name) {
  const auto parsed = sql::ParseQualifiedName(name);
  return parsed ? parsed->name : name;
}

}  // namespace pgalter::partition
