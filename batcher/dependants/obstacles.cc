#include "batcher/dependants/obstacles.h"

#include <fmt/format.h>

#include "engine/async/fail_point.h"
#include "engine/run/failure.h"

namespace pgalter::dependants {

namespace {

// Asked under the locks, where catalogs may be large: each part comes by an index, foreign keys to
// the table by what depends on it, as pg_constraint has none for them. The query of a view is a
// rule, of which nobody knows.
constexpr const char* kObstacles = R"sql(
WITH inbound AS (
  SELECT f.conname, n.nspname, k.relname, k.relowner, k.relnamespace
  FROM (SELECT DISTINCT objid FROM pg_depend WHERE classid = 'pg_constraint'::regclass
          AND refclassid = 'pg_class'::regclass AND refobjid = $1) d
  JOIN pg_constraint f ON f.oid = d.objid JOIN pg_class k ON k.oid = f.conrelid
  JOIN pg_namespace n ON n.oid = k.relnamespace
  WHERE f.contype = 'f' AND f.confrelid = $1 AND f.conparentid = 0)
SELECT format('%s depends on its row type or its rows: drop it before, and make it again after',
              CASE WHEN r.oid IS NULL THEN pg_describe_object(d.classid, d.objid, 0)
                   ELSE pg_describe_object('pg_class'::regclass, r.ev_class, 0) END)
FROM (
  SELECT d.classid, d.objid FROM pg_type t
  CROSS JOIN LATERAL (VALUES (t.oid), (t.typarray)) y (oid)
  JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = y.oid
  WHERE t.oid = (SELECT reltype FROM pg_class WHERE oid = $1) AND d.deptype = 'n'
  UNION ALL
  SELECT d.classid, d.objid FROM pg_depend d
  WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND d.deptype = 'n'
    AND d.classid = 'pg_proc'::regclass) d
LEFT JOIN pg_rewrite r
  ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND r.rulename = '_RETURN'
UNION ALL
SELECT DISTINCT format('%s reads it: drop it before, and make it again after',
                       pg_describe_object('pg_class'::regclass, v.oid, 0))
FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
  AND d.refobjid = $1 AND v.oid <> $1 AND v.relkind <> 'v'
  AND NOT (v.relkind = 'm' AND $2)
UNION ALL
SELECT format('policy %I of %s reads it: drop it before, and make it again after', p.polname,
              p.polrelid::regclass)
FROM pg_policy p JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND p.polrelid <> $1
UNION ALL
SELECT format('rule %I of view %s writes or reads it: drop it before, and make it again after',
              r.rulename, r.ev_class::regclass)
FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'v'
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND r.rulename <> '_RETURN'
UNION ALL
SELECT format('view %s reads it and belongs to %I, whom this role does not stand for: run as a role '
              'that may change both', v.oid::regclass, pg_get_userbyid(v.relowner))
FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'v'
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1
  AND NOT pg_has_role(v.relowner, 'USAGE')
UNION ALL
SELECT format('foreign key %I of %I.%I refers to it, and that table belongs to %I, whom this role does '
              'not stand for: %s, or run as a role that may change both', conname, nspname, relname,
              o.rolname,
              CASE WHEN o.rolsuper THEN format('ALTER TABLE %I.%I OWNER TO %I', nspname, relname,
                                               current_user)
                   ELSE format('GRANT %I TO %I', o.rolname, current_user) END)
FROM inbound JOIN pg_roles o ON o.oid = relowner WHERE NOT pg_has_role(relowner, 'USAGE')
UNION ALL
SELECT format('foreign key %I of %I.%I refers to it, in a schema that this role may not use: GRANT USAGE '
              'ON SCHEMA %I TO %I', conname, nspname, relname, nspname, current_user)
FROM inbound WHERE NOT has_schema_privilege(relnamespace, 'USAGE')
UNION ALL
SELECT format('its foreign key %I refers to %I.%I and is made again, in a schema that this role may not '
              'use: GRANT USAGE ON SCHEMA %I TO %I', f.conname, n.nspname, k.relname, n.nspname,
              current_user)
FROM pg_constraint f JOIN pg_class k ON k.oid = f.confrelid JOIN pg_namespace n ON n.oid = k.relnamespace
WHERE f.contype = 'f' AND f.conrelid = $1 AND f.confrelid <> $1
  AND NOT has_schema_privilege(n.oid, 'USAGE')
UNION ALL
SELECT format('its foreign key %I refers to %I.%I, which is locked while it is made again, and this role '
              'lacks the right: GRANT %s ON %I.%I TO %I', f.conname, n.nspname, k.relname, m.missing,
              n.nspname, k.relname, current_user)
FROM pg_constraint f JOIN pg_class k ON k.oid = f.confrelid JOIN pg_namespace n ON n.oid = k.relnamespace
CROSS JOIN LATERAL (
  SELECT concat_ws(', ',
    CASE WHEN EXISTS (SELECT FROM unnest(f.confkey) a (attnum)
                      WHERE NOT has_column_privilege(k.oid, a.attnum, 'REFERENCES'))
         THEN 'REFERENCES' END,
    CASE WHEN NOT has_table_privilege(k.oid, 'UPDATE, DELETE, TRUNCATE') THEN 'UPDATE' END)
    AS missing) m
WHERE f.contype = 'f' AND f.conrelid = $1 AND f.confrelid <> $1 AND m.missing <> ''
UNION ALL
SELECT format('its trigger %I is made again, and this role may not execute its function: %s', t.tgname,
              m.missing)
FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid JOIN pg_namespace n ON n.oid = f.pronamespace
CROSS JOIN LATERAL (
  SELECT concat_ws('; ',
    CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE')
         THEN format('GRANT USAGE ON SCHEMA %I TO %I', n.nspname, current_user) END,
    CASE WHEN NOT has_function_privilege(f.oid, 'EXECUTE')
         THEN format('GRANT EXECUTE ON FUNCTION %I.%I() TO %I', n.nspname, f.proname, current_user)
    END) AS missing) m
WHERE t.tgrelid = $1 AND NOT t.tgisinternal AND m.missing <> ''
  AND NOT (t.tgname LIKE 'pgalter\_%' AND (n.nspname = 'pgalter' OR n.nspname LIKE 'pgalter\_%'))
UNION ALL
SELECT DISTINCT format('temporary view %s of another session reads it, which can be dropped there '
              'alone: end that session, or have it DROP VIEW', v.oid::regclass)
FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'v'
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1
  AND pg_is_other_temp_schema(v.relnamespace)
UNION ALL
SELECT DISTINCT format('view %s reads it and is made anew where this role may make nothing: GRANT CREATE '
              'ON SCHEMA %I TO %I', v.oid::regclass, n.nspname, current_user)
FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
JOIN pg_class v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm')
JOIN pg_namespace n ON n.oid = v.relnamespace
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND v.oid <> $1
  AND NOT has_schema_privilege(n.oid, 'CREATE')
UNION ALL
SELECT format('statistics object %I.%I is made anew where this role may make nothing: GRANT CREATE ON '
              'SCHEMA %I TO %I', n.nspname, s.stxname, n.nspname, current_user)
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE s.stxrelid = $1 AND NOT has_schema_privilege(n.oid, 'CREATE')
UNION ALL
SELECT format('statistics object %I.%I is on it and belongs to %I, whom this role does not stand for: '
              'run as a role that may change both', n.nspname, s.stxname, pg_get_userbyid(s.stxowner))
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE s.stxrelid = $1 AND NOT pg_has_role(s.stxowner, 'USAGE')
UNION ALL
SELECT format('the identity sequence of column %I is %s: give that one a sequence of its own',
              a.attname, CASE WHEN u.classid = 'pg_attrdef'::regclass THEN 'the default of another column'
                ELSE 'used by ' || coalesce(pg_describe_object('pg_class'::regclass, v.ev_class, 0),
                                            pg_describe_object(u.classid, u.objid, u.objsubid)) END)
FROM pg_attribute a
JOIN pg_depend i ON i.classid = 'pg_class'::regclass AND i.refclassid = 'pg_class'::regclass
  AND i.refobjid = a.attrelid AND i.refobjsubid = a.attnum AND i.deptype = 'i'
JOIN pg_depend u ON u.refclassid = 'pg_class'::regclass AND u.refobjid = i.objid AND u.deptype = 'n'
LEFT JOIN pg_rewrite v ON u.classid = 'pg_rewrite'::regclass AND v.oid = u.objid
WHERE a.attrelid = $1 AND a.attidentity <> ''
UNION ALL
SELECT format('subscription %I writes into it by its identity: take it out of the publication of the '
              'other side and REFRESH first; afterwards put it back there, which copies its rows anew '
              'into an emptied table', b.subname)
FROM pg_subscription_rel s JOIN pg_subscription b ON b.oid = s.srsubid WHERE s.srrelid = $1
)sql";

}  // namespace

Task<std::string> FindObstacle(Session& session, pg::Oid table, Matviews matviews) {
  const bool follow = matviews == Matviews::kFollow;
  const pg::Result rows = co_await session.db().Query(kObstacles, table, follow);
  co_return rows.empty() ? std::string() : rows.Get<std::string>(0, 0);
}

Task<> RefuseObstacle(Session& session, pg::Oid table, std::string name, std::string again,
                      Matviews matviews) {
  if (!async::SafeguardOn("obstacles")) co_return;
  const std::string why = co_await FindObstacle(session, table, matviews);
  if (why.empty()) co_return;
  throw run::Failure(
      run::ExitCode::kRefused,
      fmt::format("{} cannot change its place: {}. Nothing was changed by this step. "
                  "Then: {}",
                  name, why, again));
}

}  // namespace pgalter::dependants
