#include "batcher/rebuild/obstacles.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <utility>

#include "batcher/dependants/users_triggers.h"
#include "batcher/rebuild/mapping.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::rebuild {

using run::ExitCode;
using run::Failure;

namespace {

// What could not be carried over to the new definition, found before anything is copied. Views are
// made anew where a column changes its type (views_anew.h).
constexpr const char* kInTheWay = R"sql(
SELECT CASE WHEN v.oid IS NULL THEN pg_describe_object(d.classid, d.objid, 0)
            ELSE pg_describe_object('pg_class'::regclass, v.oid, 0) END, s.attname,
       CASE WHEN t.attnum IS NULL THEN 'is not in the new definition' ELSE 'changes its type' END
FROM pg_attribute s
LEFT JOIN pg_attribute t ON t.attrelid = $2::regclass AND t.attname = s.attname
  AND NOT t.attisdropped
JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = s.attrelid
  AND d.refobjsubid = s.attnum
LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_class v ON v.oid = r.ev_class AND v.oid <> s.attrelid
LEFT JOIN pg_constraint f ON d.classid = 'pg_constraint'::regclass AND f.oid = d.objid
WHERE s.attrelid = $1 AND s.attnum > 0 AND NOT s.attisdropped
  AND (t.attnum IS NULL
         AND (d.classid IN ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass,
                            'pg_publication_rel'::regclass, 'pg_statistic_ext'::regclass)
              OR f.contype = 'f' AND f.conrelid <> s.attrelid)
       OR (t.atttypid, t.atttypmod) <> (s.atttypid, s.atttypmod)
         AND d.classid = 'pg_rewrite'::regclass
         AND v.relkind IS DISTINCT FROM 'v'
         AND NOT ($3 AND v.relkind IS NOT DISTINCT FROM 'm'))
LIMIT 1
)sql";

// $1 the table, $2 the one that comes: types of the name of a row type that comes, or of the type
// of arrays of one, which gives way to nobody when it moves. Sequences had types before
// PostgreSQL 14.
constexpr const char* kTakenTypes = R"sql(
SELECT format('%I.%I%s', n.nspname, o.typname, ', of arrays of ' || format_type(e.oid, NULL) || ',')
FROM pg_type y JOIN pg_type o USING (typname) JOIN pg_namespace n ON n.oid = o.typnamespace
LEFT JOIN pg_type e ON e.oid = o.typelem AND e.typarray = o.oid
LEFT JOIN pg_class c ON c.oid IN (o.typrelid, e.typrelid)
WHERE y.typnamespace = (SELECT relnamespace FROM pg_class WHERE oid = $2::regclass)
  AND n.oid = (SELECT relnamespace FROM pg_class WHERE oid = $1)
  AND c.relkind IS DISTINCT FROM 'S' AND coalesce(c.oid, 0) NOT IN (
    SELECT $1::oid UNION SELECT relid FROM pg_partition_tree($1::oid::regclass))
ORDER BY e.oid IS NOT NULL, 1 LIMIT 1
)sql";

// Each with the way out. An identity's sequence takes the name of the one that was, where there was
// one.
constexpr const char* kLost = R"sql(
WITH leaf AS (
  SELECT i.relid AS oid FROM pg_partition_tree($2::regclass) i WHERE i.isleaf),
made AS (
  SELECT c.relname FROM pg_class c
  WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = $2::regclass)
    AND NOT EXISTS (
      SELECT FROM pg_depend d
      JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
      JOIN pg_attribute o ON o.attrelid = $1 AND o.attname = a.attname
      WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid
        AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i' AND o.attidentity <> '')),
old AS (SELECT $1::oid AS oid UNION SELECT relid FROM pg_partition_tree($1::oid::regclass)),
target AS (SELECT relkind = 'p' AS partitioned FROM pg_class WHERE oid = $2::regclass)
SELECT format('the name %s is taken by what is no part of the table: give the new one another name',
              o.oid::regclass)
FROM made m JOIN pg_class o ON o.relname = m.relname
WHERE o.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = $1)
  AND o.oid NOT IN (SELECT oid FROM old)
  AND NOT EXISTS (SELECT FROM pg_index x JOIN old ON old.oid = x.indrelid
                  WHERE x.indexrelid = o.oid)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = o.oid
                  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1
                  AND d.deptype IN ('a', 'i'))
UNION ALL
SELECT format(CASE WHEN (to_jsonb(k)->>'conenforced')::bool IS FALSE
                THEN 'foreign key %I is NOT ENFORCED, and comes along to no partitioned table: drop '
                     'it before, and add it again after'
                ELSE 'foreign key %I is not valid, and a partitioned table has none such: VALIDATE or '
                     'drop it before' END, conname)
FROM pg_constraint k, target
WHERE conrelid = $1 AND contype = 'f' AND NOT convalidated AND partitioned
  AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid)
UNION ALL
SELECT 'its replica identity is an index, which partitions would need each: ALTER TABLE ... REPLICA '
       'IDENTITY DEFAULT, or FULL, before'
FROM pg_class c, target WHERE c.oid = $1 AND c.relreplident = 'i' AND partitioned
UNION ALL
SELECT format('trigger %I has transition tables, which a row trigger of a partitioned table cannot '
              'have: drop it before', tgname)
FROM pg_trigger, target WHERE tgrelid = $1 AND NOT tgisinternal AND partitioned
  AND tgtype & 1 = 1 AND (tgoldtable IS NOT NULL OR tgnewtable IS NOT NULL)
UNION ALL
SELECT format('partition %s is a foreign table', oid::regclass) FROM pg_class
WHERE relkind = 'f' AND oid IN (SELECT oid FROM leaf)
UNION ALL
SELECT format('sequence %s has a number of its own for %I: rebuild with DEFAULT nextval(...) of the '
              'sequence that is there, or with GENERATED ... AS IDENTITY', d.objid::regclass, a.attname)
FROM pg_depend d JOIN pg_class q ON q.oid = d.objid AND q.relkind = 'S'
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refobjid = $2::regclass AND d.deptype = 'a'
LIMIT 1
)sql";

// DETACH … CONCURRENTLY that was interrupted: for queries it is no partition any more, for DROP
// TABLE it is one still.
constexpr const char* kHalfDetached = R"sql(
WITH RECURSIVE tree (oid) AS (
  SELECT $1::oid UNION ALL
  SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid)
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_inherits i JOIN tree t ON t.oid = i.inhrelid
JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.inhdetachpending ORDER BY 1 LIMIT 1
)sql";

// What a partition has of its own stays with it, and the new table has other partitions or none.
// What another run has left there is that run's to take away: it holds the table.
constexpr const char* kPartitions = R"sql(
WITH part AS (
  SELECT relid::oid AS oid, relid AS name FROM pg_partition_tree($1::oid::regclass)
  WHERE relid::oid <> $1),
)sql";
constexpr const char* kOfPartitions = R"sql(
SELECT format('partition %s is a foreign table', name) FROM part JOIN pg_class c USING (oid)
WHERE c.relkind = 'f'
UNION ALL
SELECT format('partition %s is in another schema than the table', name)
FROM part JOIN pg_class c USING (oid)
WHERE c.relnamespace <> (SELECT relnamespace FROM pg_class WHERE oid = $1)
UNION ALL
SELECT format('partition %s has foreign key %I of its own', name, f.conname)
FROM part JOIN pg_constraint f ON f.conrelid = part.oid
WHERE f.contype = 'f' AND f.conparentid = 0
UNION ALL
SELECT format('foreign key %I of %s refers to partition %s', f.conname, f.conrelid::regclass, name)
FROM part CROSS JOIN LATERAL (
  SELECT DISTINCT objid FROM pg_depend WHERE classid = 'pg_constraint'::regclass
    AND refclassid = 'pg_class'::regclass AND refobjid = part.oid) d
JOIN pg_constraint f ON f.oid = d.objid
WHERE f.confrelid = part.oid AND f.contype = 'f' AND f.conparentid = 0
UNION ALL
SELECT format('partition %s has trigger %I of its own', name, t.tgname)
FROM part JOIN users_trigger t ON t.tgrelid = part.oid
WHERE NOT t.tgisinternal AND t.tgparentid = 0
UNION ALL
SELECT format('%s reads partition %s', pg_describe_object('pg_class'::regclass, r.ev_class, 0), name)
FROM part JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = part.oid
JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
WHERE r.ev_class <> part.oid
UNION ALL
SELECT format('%s depends on partition %s',
              CASE WHEN r.oid IS NULL THEN pg_describe_object(d.classid, d.objid, 0)
                   ELSE pg_describe_object('pg_class'::regclass, r.ev_class, 0) END, name)
FROM part JOIN pg_class c USING (oid) CROSS JOIN LATERAL (
  SELECT d.classid, d.objid FROM pg_type t
  CROSS JOIN LATERAL (VALUES (t.oid), (t.typarray)) y (oid)
  JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = y.oid
  WHERE t.oid = c.reltype AND d.deptype = 'n'
  UNION ALL
  SELECT d.classid, d.objid FROM pg_depend d
  WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.deptype = 'n'
    AND d.classid = 'pg_proc'::regclass) d
LEFT JOIN pg_rewrite r
  ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND r.rulename = '_RETURN'
UNION ALL
SELECT format('partition %s is in publication %I by its own name', name, p.pubname)
FROM part JOIN pg_publication_rel r ON r.prrelid = part.oid
JOIN pg_publication p ON p.oid = r.prpubid
UNION ALL
SELECT format('partition %s has policy %I of its own', name, polname)
FROM part JOIN pg_policy ON polrelid = part.oid
UNION ALL
SELECT format('partition %s has rule %I of its own', name, rulename)
FROM part JOIN pg_rewrite ON ev_class = part.oid
UNION ALL
SELECT format('partition %s has statistics %I of its own', name, stxname)
FROM part JOIN pg_statistic_ext ON stxrelid = part.oid
LIMIT 1
)sql";

// Unique keys of the source that no unique key of the new table implies: one over the same columns,
// or over some of them, under the names that $3 have there ($4).
constexpr const char* kWeaker = R"sql(
SELECT n.names, coalesce((
    SELECT string_agg(format('(%s)', t.names), ', ') FROM (
      SELECT (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.n)
              FROM unnest(x.indkey[0:x.indnkeyatts - 1]) WITH ORDINALITY k (attnum, n)
              JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum) AS names
      FROM pg_index x WHERE x.indrelid = $2::regclass AND x.indisunique) t), 'none')
FROM pg_index s CROSS JOIN LATERAL (
  SELECT string_agg(coalesce(quote_ident(a.attname), 'an expression'), ', ' ORDER BY k.n) AS names,
         ARRAY(SELECT m.new FROM unnest($3::text[], $4::text[]) m (old, new)
               WHERE m.old = ANY (array_agg(a.attname::text))) AS columns
  FROM unnest(s.indkey[0:s.indnkeyatts - 1]) WITH ORDINALITY k (attnum, n)
  LEFT JOIN pg_attribute a ON a.attrelid = s.indrelid AND a.attnum = k.attnum AND k.attnum > 0) n
WHERE s.indrelid = $1 AND s.indisunique AND s.indisvalid AND NOT EXISTS (
  SELECT FROM pg_index x WHERE x.indrelid = $2::regclass AND x.indisunique
    AND pg_get_expr(x.indexprs, x.indrelid) IS NOT DISTINCT FROM pg_get_expr(s.indexprs, s.indrelid)
    AND (x.indpred IS NULL
         OR pg_get_expr(x.indpred, x.indrelid) IS NOT DISTINCT FROM pg_get_expr(s.indpred, s.indrelid))
    AND NOT EXISTS (
      SELECT FROM unnest(x.indkey[0:x.indnkeyatts - 1]) k
      LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k AND k > 0
      WHERE a.attname IS NOT NULL AND a.attname <> ALL (n.columns)))
ORDER BY s.indexrelid
)sql";

// Of what is there of the new table, with the schema that it goes to and the table; of sequences as
// above.
constexpr const char* kNames = R"sql(
SELECT s.relnamespace, format('%I.%I', n.nspname, s.relname), quote_ident(c.relname)
FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace,
     pg_class t JOIN pg_class c ON c.relnamespace = t.relnamespace
WHERE s.oid = $1 AND t.oid = $2 AND NOT EXISTS (
  SELECT FROM pg_depend d
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  JOIN pg_attribute o ON o.attrelid = s.oid AND o.attname = a.attname
  WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid
    AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i' AND o.attidentity <> '')
)sql";

// $1 the table, $2 columns that have another name in the new one: a foreign key over them would not
// come along.
constexpr const char* kKeyOverRenamed = R"sql(
SELECT format('foreign key %I is over column %I, which has another name in the new definition: drop it '
              'before, and add it again after, NOT VALID first', f.conname, a.attname)
FROM pg_constraint f JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = ANY (f.conkey)
WHERE f.conrelid = $1 AND f.contype = 'f' AND f.conparentid = 0 AND a.attname = ANY ($2::text[])
ORDER BY f.conname LIMIT 1
)sql";

// $3: that are there under another name.
constexpr const char* kDroppedColumns = R"sql(
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute s
WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND NOT EXISTS (
  SELECT FROM pg_attribute t WHERE t.attrelid = $2::regclass AND t.attname = s.attname
    AND NOT t.attisdropped)
  AND attname <> ALL ($3::text[])
)sql";

Task<> AskAboutKeys(Session& session, const Names& names, const Spec& spec, pg::Oid source,
                    std::vector<std::string>& remarks) {
  std::vector<SameColumn> same = co_await SameColumns(session, names, spec, source);
  // A key over what is computed is another, and the user's wish.
  const std::vector<std::string> computed = co_await ComputedColumns(session, names, spec, source);
  for (const std::string& name : computed) same.push_back({name, name});
  const pg::Result weaker =
      co_await session.db().Query(kWeaker, source, names.shadow, FromOf(same), ToOf(same));
  std::vector<std::string> lost;
  for (int i = 0; i < weaker.rows(); ++i)
    lost.push_back(
        fmt::format("that no two rows have the same ({}) is not kept; the unique keys of the new "
                    "table: {}",
                    weaker.Get<std::string>(i, 0), weaker.Get<std::string>(i, 1)));
  if (lost.empty()) co_return;
  if (!spec.allow_weaker_keys) {
    const pg::Result kind = co_await session.db().Query(
        "SELECT relkind = 'p' FROM pg_class WHERE oid = $1::regclass", names.shadow);
    const char* why = kind.Get<bool>(0, 0)
                          ? "A partitioned table has unique keys only with the columns that it is "
                            "partitioned by in them"
                          : "Where its columns have other names, say so with --map 'NEW = OLD'";
    throw Failure(ExitCode::kRefused,
                  fmt::format("cannot rebuild {}: {}. {}. If that will do: --allow-weaker-keys",
                              names.source, fmt::join(lost, "; "), why));
  }
  for (std::string& one : lost) remarks.push_back(std::move(one));
  remarks.emplace_back(
      "a revert needs these keys again: should users write rows that are the same in one of them, "
      "it waits until one of the rows is gone");
}

}  // namespace

Task<> RefuseWhatCannotFollow(Session& session, const Names& names, pg::Oid source,
                              dependants::Matviews matviews, const GoingKeys& going) {
  const bool follow = matviews == dependants::Matviews::kFollow;
  const pg::Result rows = co_await session.db().Query(kInTheWay, source, names.shadow, follow);
  if (!rows.empty())
    throw Failure(
        ExitCode::kRefused,
        fmt::format("cannot rebuild {}: {} uses column {}, which {}. Drop it before, and make "
                    "it again after",
                    names.source, rows.Get<std::string>(0, 0),
                    sql::QuoteIdentifier(rows.Get<std::string>(0, 1)),
                    rows.Get<std::string>(0, 2)));
  const pg::Result shadow = co_await session.db().Query("SELECT $1::regclass::oid", names.shadow);
  co_await RefuseUnkeyed(session, names.source, source, shadow.Get<pg::Oid>(0, 0), going);
}

Task<> RefuseHalfDetached(Session& session, std::string table, pg::Oid source) {
  const pg::Result rows = co_await session.db().Query(kHalfDetached, source);
  if (rows.empty()) co_return;
  throw Failure(
      ExitCode::kRefused,
      fmt::format("cannot rebuild {0}: its partition {1} is half detached, and would go with the "
                  "table that is put aside, with its rows. Nothing was changed. End that first: "
                  "pgalter partition detach {1} --yes",
                  table, rows.Get<std::string>(0, 0)));
}

Task<> RefuseWhatPartitionsHave(Session& session, std::string table, pg::Oid source) {
  const std::string query =
      kPartitions + dependants::UsersTriggers("SELECT oid FROM part") + kOfPartitions;
  const pg::Result rows = co_await session.db().Query(query, source);
  if (rows.empty()) co_return;
  throw Failure(
      ExitCode::kRefused,
      fmt::format("cannot rebuild {}: {}, which would not come along. Take it away before, "
                  "and make it again after",
                  table, rows.Get<std::string>(0, 0)));
}

Task<> RefuseSharedNames(Session& session, const std::vector<Stored>& all) {
  std::map<std::pair<pg::Oid, std::string>, std::string> taken;
  for (const Stored& stored : all) {
    const pg::Result rows = co_await session.db().Query(kNames, stored.source, stored.shadow);
    const auto schema = rows.Get<pg::Oid>(0, 0);
    const auto table = rows.Get<std::string>(0, 1);
    std::vector<std::string> names;
    for (int i = 0; i < rows.rows(); ++i) names.push_back(rows.Get<std::string>(i, 2));
    for (const Index& index : stored.definition.indexes)
      if (!index.helper) names.push_back(index.name);
    for (const std::string& name : names) {
      const auto [first, added] = taken.try_emplace({schema, name}, table);
      if (!added && first->second != table)
        throw Failure(ExitCode::kRefused,
                      fmt::format("cannot rebuild {} and {} together: {} would be the name of "
                                  "something of both in one schema. Give one of them another name",
                                  first->second, table, name));
    }
  }
}

Task<> RefuseTakenTypes(Session& session, const Names& names, pg::Oid source) {
  const pg::Result taken = co_await session.db().Query(kTakenTypes, source, names.shadow);
  if (taken.empty()) co_return;
  throw Failure(ExitCode::kRefused,
                fmt::format("cannot rebuild {}: type {} stands where the type of a table is to go "
                            "that takes its place, or that of arrays of one. Rename it, or move it "
                            "to another schema",
                            names.source, taken.Get<std::string>(0, 0)));
}

Task<> RefuseWhatIsLost(Session& session, const Names& names, const Spec& spec, pg::Oid source,
                        std::vector<std::string>& remarks) {
  const pg::Result lost = co_await session.db().Query(kLost, source, names.shadow);
  if (!lost.empty())
    throw Failure(ExitCode::kRefused,
                  fmt::format("cannot rebuild {}: {}", names.source, lost.Get<std::string>(0, 0)));
  const std::vector<std::string> renamed =
      FromOf(Renamed(co_await SameColumns(session, names, spec, source)));
  const pg::Result keyed = co_await session.db().Query(kKeyOverRenamed, source, renamed);
  if (!keyed.empty())
    throw Failure(ExitCode::kRefused,
                  fmt::format("cannot rebuild {}: {}", names.source, keyed.Get<std::string>(0, 0)));
  co_await AskAboutKeys(session, names, spec, source, remarks);
  const pg::Result dropped =
      co_await session.db().Query(kDroppedColumns, source, names.shadow, renamed);
  if (!dropped.IsNull(0, 0))
    remarks.push_back(
        fmt::format("the new definition does not have column {}", dropped.Get<std::string>(0, 0)));
}

}  // namespace pgalter::rebuild
