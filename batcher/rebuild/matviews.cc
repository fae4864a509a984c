#include "batcher/rebuild/matviews.h"

#include <fmt/format.h>

#include <utility>

#include "batcher/dependants/labels.h"
#include "batcher/dependants/obstacles.h"
#include "batcher/rebuild/definition.h"
#include "batcher/rebuild/names.h"
#include "batcher/rebuild/obstacles.h"
#include "batcher/rebuild/replaced.h"
#include "engine/run/failure.h"

namespace pgalter::rebuild {

using run::ExitCode;
using run::Failure;

namespace {

// REFRESH writes the row of pg_class anew, CONCURRENTLY too; VACUUM and ANALYZE change it in place.
constexpr const char* kMatviews = R"sql(
WITH RECURSIVE reads (oid, depth) AS (
  SELECT unnest($1::int8[])::oid, 0
  UNION
  SELECT v.oid, reads.depth + 1
  FROM reads JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = reads.oid
  JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
  JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'm' AND v.oid <> reads.oid)
SELECT c.oid, format('%I.%I', n.nspname, c.relname), quote_ident(n.nspname),
       quote_ident(c.relname), quote_ident(pg_get_userbyid(c.relowner)), c.relispopulated,
       c.xmin::text
FROM (SELECT oid, max(depth) AS depth FROM reads WHERE depth > 0 GROUP BY oid) m
JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY m.depth, c.oid
)sql";

// $1 the materialized view, $2 all relations that leave. Policies and grants come to the copies in
// the swap only, and the twin is refreshed before: so by an owner who needs none.
constexpr const char* kObstacles = R"sql(
WITH source AS (
  SELECT DISTINCT t.oid, t.relowner, t.relrowsecurity AND t.relforcerowsecurity AS forced
  FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
  JOIN pg_class t ON d.refclassid = 'pg_class'::regclass AND t.oid = d.refobjid
  WHERE r.ev_class = $1 AND t.oid::int8 = ANY ($2::int8[]) AND t.oid <> $1),
own AS (
  SELECT c.oid, c.relname FROM pg_class c
  WHERE c.oid = $1 OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = $1)),
tree AS (
  SELECT oid::oid AS oid FROM unnest($2::int8[]) l (oid)
  UNION SELECT p.relid FROM unnest($2::int8[]) l (oid), pg_partition_tree(l.oid::oid::regclass) p),
others AS (
  SELECT c.oid, c.relname FROM pg_class c
  WHERE c.oid <> $1 AND c.oid IN (SELECT oid FROM tree)
     OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid <> $1
                  AND indrelid IN (SELECT oid FROM tree)))
SELECT format('it belongs to %I and reads %s of %I: let both have one owner',
              pg_get_userbyid(m.relowner), s.oid::regclass, pg_get_userbyid(s.relowner))
FROM pg_class m, source s WHERE m.oid = $1 AND s.relowner <> m.relowner
UNION ALL
SELECT format('%s has FORCE ROW LEVEL SECURITY, by which its rows are chosen', s.oid::regclass)
FROM source s WHERE s.forced
UNION ALL
SELECT format('the role may not make anything in schema %1$I: GRANT CREATE ON SCHEMA %1$I TO %2$I',
              n.nspname, current_user)
FROM pg_class m JOIN pg_namespace n ON n.oid = m.relnamespace
WHERE m.oid = $1 AND NOT has_schema_privilege(n.oid, 'CREATE')
UNION ALL
SELECT format('it hangs on %s', pg_describe_object(refclassid, refobjid, 0))
FROM pg_depend
WHERE classid = 'pg_class'::regclass AND objid = $1 AND refclassid = 'pg_extension'::regclass
UNION ALL
SELECT format('its index %s is not valid: drop it, or make it again', indexrelid::regclass)
FROM pg_index WHERE indrelid = $1 AND NOT indisvalid
UNION ALL
SELECT format('%s and %s have one name in two schemas: rename one of them', own.oid::regclass,
              others.oid::regclass)
FROM own JOIN others USING (relname)
)sql";

constexpr const char* kShape = R"sql(
SELECT concat(' (', (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
                     WHERE attrelid = c.oid AND attnum > 0), ')',
              ' USING ' || quote_ident(m.amname),
              ' WITH (' || (SELECT string_agg(o, ', ') FROM (
                SELECT unnest(c.reloptions)
                UNION ALL SELECT 'toast.' || unnest(t.reloptions)) x (o)) || ')',
              ' TABLESPACE ' || quote_ident(s.spcname)),
       rtrim(pg_get_viewdef(c.oid), '; ')
FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
LEFT JOIN pg_am m ON m.oid = c.relam LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
WHERE c.oid = $1
)sql";

// $1 the materialized view, $2 the twin, $3 its name: what its query does not make of its columns,
// its owner, and nobody's right to it that default privileges gave.
constexpr const char* kSettings = R"sql(
WITH col AS (
  SELECT s.*, to_jsonb(s)->>'attstattarget' AS target, t.attstorage AS given,
         col_description(s.attrelid, s.attnum) AS remark
  FROM pg_attribute s JOIN pg_attribute t ON t.attrelid = $2 AND t.attname = s.attname
  WHERE s.attrelid = $1 AND s.attnum > 0)
SELECT format('ALTER MATERIALIZED VIEW %s ALTER COLUMN %I SET STATISTICS %s', $3::text, attname,
              target)
FROM col WHERE target::int >= 0
UNION ALL
SELECT format('ALTER MATERIALIZED VIEW %s ALTER COLUMN %I SET (%s)', $3::text, attname,
              (SELECT string_agg(o, ', ') FROM unnest(attoptions) o WHERE o LIKE 'n_distinct%'))
FROM col WHERE EXISTS (SELECT FROM unnest(attoptions) o WHERE o LIKE 'n_distinct%')
UNION ALL
SELECT format('ALTER MATERIALIZED VIEW %s ALTER COLUMN %I SET STORAGE %s', $3::text, attname,
              CASE attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN'
                              ELSE 'EXTENDED' END)
FROM col WHERE attstorage <> given AND attlen = -1
UNION ALL
SELECT format('ALTER MATERIALIZED VIEW %s ALTER COLUMN %I SET COMPRESSION %s', $3::text, attname,
              CASE attcompression WHEN 'l' THEN 'lz4' ELSE 'pglz' END)
FROM col WHERE attcompression <> ''
UNION ALL
SELECT format('COMMENT ON COLUMN %s.%I IS %L', $3::text, attname, remark)
FROM col WHERE remark IS NOT NULL
UNION ALL
SELECT format('REVOKE ALL ON TABLE %s FROM %s', $3::text, g.name)
FROM (SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC'
                        ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS name
      FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = $2 AND a.grantee <> c.relowner) g
UNION ALL
SELECT format('ALTER MATERIALIZED VIEW %s OWNER TO %I', $3::text, pg_get_userbyid(c.relowner))
FROM pg_class c JOIN pg_class t ON t.oid = $2 WHERE c.oid = $1 AND c.relowner <> t.relowner
)sql";

// What the query of one is bound to, and that of the other is not: each relation that leaves stands
// for the one that comes, columns and constraints go by their names.
constexpr const char* kBoundOtherwise = R"sql(
WITH replaced AS (
  SELECT leaving::oid AS leaving, coming::oid AS coming
  FROM unnest($3::int8[], $4::int8[]) AS r (leaving, coming)),
bound AS (
  SELECT r.ev_class, pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) AS name,
         CASE WHEN f.oid IS NOT NULL THEN concat_ws(' ', 'constraint',
                coalesce((SELECT coming FROM replaced
                          WHERE leaving = f.conrelid AND r.ev_class = $1), f.conrelid), f.conname)
              WHEN d.refclassid = 'pg_class'::regclass THEN concat_ws(' ', 'column',
                coalesce((SELECT coming FROM replaced
                          WHERE leaving = d.refobjid AND r.ev_class = $1), d.refobjid), a.attname)
              ELSE concat_ws(' ', d.refclassid, d.refobjid) END AS what
  FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
  LEFT JOIN pg_attribute a ON d.refclassid = 'pg_class'::regclass AND a.attrelid = d.refobjid
    AND a.attnum = d.refobjsubid AND d.refobjsubid <> 0
  LEFT JOIN pg_constraint f ON d.refclassid = 'pg_constraint'::regclass AND f.oid = d.refobjid
  WHERE r.ev_class IN ($1, $2)
    AND NOT (d.refclassid = 'pg_class'::regclass AND d.refobjid = r.ev_class))
SELECT b.name FROM bound b
WHERE NOT EXISTS (SELECT FROM bound o WHERE o.ev_class <> b.ev_class AND o.what = b.what)
ORDER BY b.ev_class = $1, b.name LIMIT 1
)sql";

[[noreturn]] void Refuse(const Matview& matview, const std::string& why) {
  throw Failure(ExitCode::kRefused,
                fmt::format("materialized view {} cannot be made anew over the table that takes "
                            "the place of its own: {}. Or drop it before, and make it again after",
                            matview.name, why));
}

// Printed where the tables that leave are seen without their schema, and read where those that come
// are seen first: what it says of all else, it says with the schema or means the same.
Task<> Create(Session& session, const Matview& matview, const std::string& name,
              const std::vector<Replaced>& replaced) {
  const std::string homes = co_await SchemasOf(session, LeavingOf(replaced));
  const std::string places = co_await SchemasOf(session, ComingOf(replaced));
  co_await session.db().Query("SET LOCAL default_tablespace = ''");
  co_await SearchIn(session, homes);
  const pg::Result shape = co_await session.db().Query(kShape, matview.oid);
  co_await SearchIn(session, places + ", " + homes);
  std::string refused;
  try {
    co_await session.db().Query(fmt::format("CREATE MATERIALIZED VIEW {}{} AS {} WITH NO DATA",
                                            name, shape.Get<std::string>(0, 0),
                                            shape.Get<std::string>(0, 1)));
  } catch (const pg::PgError& error) {
    if (!session.db().open()) throw;
    refused = error.what();
  }
  if (!refused.empty()) Refuse(matview, refused);
  co_await SearchIn(session, "pg_catalog");
}

Task<> RefuseUnfit(Session& session, const Matview& matview, std::vector<std::int64_t> leaving) {
  const pg::Result rows = co_await session.db().Query(kObstacles, matview.oid, leaving);
  std::string why = rows.empty() ? std::string() : rows.Get<std::string>(0, 0);
  if (why.empty())
    why = co_await dependants::FindObstacle(session, matview.oid, dependants::Matviews::kFollow);
  if (why.empty()) why = co_await dependants::FindLabel(session, matview.oid);
  if (!why.empty()) Refuse(matview, why);
}

Task<> RefuseBoundOtherwise(Session& session, const Twin& twin,
                            const std::vector<Replaced>& replaced) {
  const pg::Result otherwise = co_await session.db().Query(kBoundOtherwise, twin.of.oid, twin.oid,
                                                           LeavingOf(replaced), ComingOf(replaced));
  if (!otherwise.empty())
    Refuse(twin.of, fmt::format("over that one it would not read the same ({})",
                                otherwise.Get<std::string>(0, 0)));
}

Task<Twin> MakeTwin(Session& session, const Matview& matview, std::string schema,
                    const std::vector<Replaced>& replaced) {
  pg::Connection& db = session.db();
  Twin twin;
  twin.of = matview;
  twin.name = schema + "." + matview.relname;
  co_await Create(session, matview, twin.name, replaced);
  const pg::Result made = co_await db.Query("SELECT $1::regclass::oid", twin.name);
  twin.oid = made.Get<pg::Oid>(0, 0);
  co_await RefuseBoundOtherwise(session, twin, replaced);
  // Views over it keep their columns, or do not follow.
  Names names;
  names.source = matview.name;
  names.shadow = twin.name;
  const GoingKeys none;
  co_await RefuseWhatCannotFollow(session, names, matview.oid, dependants::Matviews::kFollow, none);
  for (const Index& index :
       co_await ReadIndexes(session, matview.oid, matview.name, twin.name, schema))
    co_await MakeIndex(session, index);
  const pg::Result settings = co_await db.Query(kSettings, matview.oid, twin.oid, twin.name);
  for (int i = 0; i < settings.rows(); ++i) co_await db.Query(settings.Get<std::string>(i, 0));
  co_return twin;
}

}  // namespace

Task<std::vector<Matview>> ReadMatviews(Session& session, std::vector<Replaced> tables) {
  const pg::Result rows = co_await session.db().Query(kMatviews, LeavingOf(tables));
  std::vector<Matview> matviews;
  for (int i = 0; i < rows.rows(); ++i) {
    Matview matview;
    matview.oid = rows.Get<pg::Oid>(i, 0);
    matview.name = rows.Get<std::string>(i, 1);
    matview.schema = rows.Get<std::string>(i, 2);
    matview.relname = rows.Get<std::string>(i, 3);
    matview.owner = rows.Get<std::string>(i, 4);
    matview.populated = rows.Get<bool>(i, 5);
    matview.version = rows.Get<std::string>(i, 6);
    matview.outline = co_await ReadOutline(session, matview.oid);
    matviews.push_back(std::move(matview));
  }
  co_return matviews;
}

Task<std::vector<Twin>> MakeTwins(Session& session, std::vector<Replaced> tables) {
  const std::vector<Matview> matviews = co_await ReadMatviews(session, tables);
  std::vector<Twin> twins;
  if (matviews.empty()) co_return twins;
  std::vector<std::int64_t> leaving = LeavingOf(tables);
  for (const Matview& matview : matviews) leaving.push_back(matview.oid);
  const std::vector<std::int64_t> first{tables.front().coming};
  const std::string schema = co_await SchemasOf(session, first);
  std::vector<Replaced> replaced = std::move(tables);
  for (const Matview& matview : matviews) {
    co_await RefuseUnfit(session, matview, leaving);
    Twin twin = co_await MakeTwin(session, matview, schema, replaced);
    replaced.push_back({matview.oid, twin.oid});
    twins.push_back(std::move(twin));
  }
  co_return twins;
}

}  // namespace pgalter::rebuild
