#include "planner/plan/views_again.h"

#include <fmt/format.h>

namespace pgalter::plan {

namespace {

// What hangs on views comes when all are there: a rule may write the next view. A new one has what
// the role's default privileges say, and is to have what the old one had.
constexpr std::string_view kMake = R"sql(
WITH view AS (
  SELECT v.*, u.n, pg_catalog.format('%I.%I', s.nspname, v.relname) AS name
  FROM pg_catalog.unnest({0}) WITH ORDINALITY u (oid, n) JOIN pg_catalog.pg_class v ON v.oid = u.oid
  JOIN pg_catalog.pg_namespace s ON s.oid = v.relnamespace),
col AS (
  SELECT view.n, view.name, a.* FROM view
  JOIN pg_catalog.pg_attribute a ON a.attrelid = view.oid AND a.attnum > 0),
given AS (
  SELECT DISTINCT view.n, view.name, view.relowner, g.grantee
  FROM view JOIN pg_catalog.pg_default_acl d ON d.defaclobjtype = 'r'
    AND d.defaclrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)
    AND d.defaclnamespace IN (0, view.relnamespace), pg_catalog.aclexplode(d.defaclacl) g)
SELECT statement FROM (
SELECT n, 1, pg_catalog.format('CREATE VIEW %s%s AS %s', name,
                    ' WITH (' || pg_catalog.array_to_string(reloptions, ', ') || ')', pg_catalog.pg_get_viewdef(oid))
FROM view
UNION ALL
SELECT n, 2, pg_catalog.format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', name, attname,
                    pg_catalog.pg_get_expr(d.adbin, d.adrelid))
FROM col JOIN pg_catalog.pg_attrdef d ON d.adrelid = attrelid AND d.adnum = attnum
UNION ALL
SELECT n, 3, pg_catalog.format('COMMENT ON VIEW %s IS %L', name, pg_catalog.obj_description(oid, 'pg_class'))
FROM view WHERE pg_catalog.obj_description(oid, 'pg_class') IS NOT NULL
UNION ALL
SELECT n, 3, pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', name, attname,
                    pg_catalog.col_description(attrelid, attnum))
FROM col WHERE pg_catalog.col_description(attrelid, attnum) IS NOT NULL
UNION ALL
SELECT n, 4, pg_catalog.pg_get_ruledef(r.oid) FROM view JOIN pg_catalog.pg_rewrite r ON r.ev_class = view.oid
WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT n, 5, pg_catalog.format('COMMENT ON RULE %I ON %s IS %L', r.rulename, name,
                    pg_catalog.obj_description(r.oid, 'pg_rewrite'))
FROM view JOIN pg_catalog.pg_rewrite r ON r.ev_class = view.oid
WHERE pg_catalog.obj_description(r.oid, 'pg_rewrite') IS NOT NULL
UNION ALL
SELECT n, 4, pg_catalog.pg_get_triggerdef(t.oid) FROM view JOIN pg_catalog.pg_trigger t ON t.tgrelid = view.oid
WHERE NOT t.tgisinternal
UNION ALL
SELECT n, 5, pg_catalog.format('COMMENT ON TRIGGER %I ON %s IS %L', t.tgname, name,
                    pg_catalog.obj_description(t.oid, 'pg_trigger'))
FROM view JOIN pg_catalog.pg_trigger t ON t.tgrelid = view.oid
WHERE pg_catalog.obj_description(t.oid, 'pg_trigger') IS NOT NULL
UNION ALL
SELECT n, 5, pg_catalog.format('ALTER TRIGGER %I ON %s DEPENDS ON EXTENSION %I', t.tgname, name, e.extname)
FROM view JOIN pg_catalog.pg_trigger t ON t.tgrelid = view.oid
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND d.objid = t.oid
  AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'x'
JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
UNION ALL
SELECT n, 6, pg_catalog.format('ALTER VIEW %s OWNER TO %I', name, pg_catalog.pg_get_userbyid(relowner))
FROM view WHERE pg_catalog.pg_get_userbyid(relowner) <> current_user
UNION ALL
SELECT n, 7, pg_catalog.format('REVOKE ALL ON TABLE %s FROM %s', name,
                    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)) END)
FROM given WHERE grantee <> relowner
UNION ALL
SELECT DISTINCT n, 7, pg_catalog.format('GRANT ALL ON TABLE %s TO %I', name, pg_catalog.pg_get_userbyid(relowner))
FROM given
UNION ALL
SELECT n, 8, pg_catalog.format('REVOKE %s ON TABLE %s FROM %I', o.privilege_type, name,
                    pg_catalog.pg_get_userbyid(relowner))
FROM view, pg_catalog.aclexplode(pg_catalog.acldefault('r', relowner)) o
WHERE relacl IS NOT NULL AND NOT EXISTS (
  SELECT FROM pg_catalog.aclexplode(relacl) a
  WHERE a.grantee = relowner AND a.privilege_type = o.privilege_type)
UNION ALL
SELECT n, 9, pg_catalog.format('GRANT %s%s ON TABLE %s TO %s%s', a.privilege_type, o.columns, name,
                    CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                   ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
                    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM (SELECT n, name, relowner, relacl AS acl, '' AS columns FROM view
      UNION ALL
      SELECT col.n, col.name, view.relowner, attacl, pg_catalog.format(' (%I)', attname)
      FROM col JOIN view ON view.oid = attrelid) o, pg_catalog.aclexplode(o.acl) a
WHERE a.grantee <> o.relowner) m (n, place, statement)
ORDER BY place > 1, n, place, statement
)sql";

constexpr std::string_view kHindrances = R"sql(
WITH view AS (
  SELECT v.*, pg_catalog.format('%I.%I', n.nspname, v.relname) AS name, n.nspname, t.typarray
  FROM pg_catalog.pg_class v JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace
  JOIN pg_catalog.pg_type t ON t.oid = v.reltype
  WHERE v.oid = ANY ({0})),
other AS (
  SELECT view.name, d.classid, d.objid,
         CASE WHEN r.oid IS NULL THEN pg_catalog.pg_describe_object(d.classid, d.objid, 0)
              ELSE pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, r.ev_class, 0) END AS what
  FROM view JOIN pg_catalog.pg_depend d ON d.deptype = 'n'
    AND (d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = view.oid
         OR d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.refobjid IN (view.reltype, view.typarray))
  LEFT JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid
  LEFT JOIN pg_catalog.pg_class e ON e.oid = r.ev_class
  LEFT JOIN pg_catalog.pg_policy p ON d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND p.oid = d.objid
  LEFT JOIN pg_catalog.pg_trigger g ON d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND g.oid = d.objid
  LEFT JOIN pg_catalog.pg_attrdef f ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND f.oid = d.objid
  WHERE NOT coalesce(
    coalesce(r.ev_class, g.tgrelid, f.adrelid) = ANY ({0})
      OR coalesce(r.ev_class, p.polrelid) = ANY ({1})
         AND e.relkind IS DISTINCT FROM 'm', false))
SELECT pg_catalog.format('%s depends on view %s: drop it before, and make it again after', what, name)
FROM other
UNION ALL
SELECT pg_catalog.format('view %s belongs to %I, whom this role does not stand for: run as a role that may change '
              'both', name, pg_catalog.pg_get_userbyid(relowner))
FROM view WHERE NOT pg_catalog.pg_has_role(relowner, 'USAGE')
UNION ALL
SELECT pg_catalog.format('temporary view %s of another session can be dropped there alone: end that session, or '
              'have it DROP VIEW', name)
FROM view WHERE pg_catalog.pg_is_other_temp_schema(relnamespace)
UNION ALL
SELECT pg_catalog.format('view %s is made anew where %I may make nothing: GRANT CREATE ON SCHEMA %I TO %2$I', view.name,
              u.name, nspname)
FROM view CROSS JOIN LATERAL (VALUES (current_user), (pg_catalog.pg_get_userbyid(relowner))) u (name)
WHERE NOT pg_catalog.has_schema_privilege(u.name, relnamespace, 'CREATE')
  AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
UNION ALL
SELECT pg_catalog.format('view %s is part of extension %I', name, e.extname)
FROM view JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = view.oid
  AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
UNION ALL
SELECT pg_catalog.format('view %s has a security label of provider %s', name, provider)
FROM view JOIN pg_catalog.pg_seclabel ON classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND objoid = view.oid
LIMIT 1
)sql";

}  // namespace

std::string StatementsThatMakeViews(std::string_view views) { return fmt::format(kMake, views); }

std::string WhyViewsCannotGo(std::string_view views, std::string_view tables) {
  return fmt::format(kHindrances, views, tables);
}

}  // namespace pgalter::plan
