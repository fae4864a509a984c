#include "batcher/cutover/views_over.h"

namespace pgalter::cutover {

namespace {

// $1 the tables, $2 whether materialized views follow, $3 views that are made anew. Views may read
// each other in a circle, as nobody can use them then: they are followed as deep as none goes that
// is used.
constexpr const char* kViewsOver = R"sql(
WITH RECURSIVE bound AS (
  SELECT DISTINCT d.refobjid AS source, v.oid, v.relkind
  FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
  JOIN pg_class v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm') AND v.oid <> d.refobjid
  WHERE d.refclassid = 'pg_class'::regclass),
leaving (oid) AS (
  SELECT unnest($1::int8[])::oid
  UNION
  SELECT bound.oid FROM leaving JOIN bound ON bound.source = leaving.oid
  WHERE bound.relkind = 'm' AND $2),
above (oid, depth) AS (
  SELECT unnest($1::int8[])::oid, 0
  UNION
  SELECT bound.oid, above.depth + 1 FROM above JOIN bound ON bound.source = above.oid
  WHERE above.depth < 100)
SELECT format('%I.%I', n.nspname, v.relname), quote_ident(n.nspname)
FROM pg_class v JOIN pg_namespace n ON n.oid = v.relnamespace
WHERE v.oid IN (SELECT bound.oid FROM leaving JOIN bound ON bound.source = leaving.oid
                WHERE bound.relkind = 'v' OR $2
                UNION ALL SELECT unnest($3::int8[])::oid)
  AND pg_has_role(v.relowner, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE')
  AND v.relpersistence <> 't'
ORDER BY (SELECT max(depth) FROM above WHERE above.oid = v.oid) DESC, v.oid
)sql";

}  // namespace

Task<std::vector<lock::View>> ViewsOver(Session& session, std::vector<std::int64_t> tables,
                                        dependants::Matviews matviews,
                                        std::vector<std::int64_t> anew) {
  const bool follow = matviews == dependants::Matviews::kFollow;
  const pg::Result rows = co_await session.db().Query(kViewsOver, tables, follow, anew);
  std::vector<lock::View> views;
  for (int i = 0; i < rows.rows(); ++i)
    views.push_back({rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1)});
  co_return views;
}

}  // namespace pgalter::cutover
