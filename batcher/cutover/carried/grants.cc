#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// All of them are granted again, by the owner: also what somebody granted on. Who has rights on
// columns only loses them by this, too.
constexpr const char* kRows = R"sql(
SELECT 'a', format('REVOKE ALL ON TABLE %s FROM %s CASCADE', g.name, g.grantee)
FROM (SELECT DISTINCT p.name, CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
      FROM pair p JOIN pg_class t ON t.oid = p.coming
      CROSS JOIN LATERAL (
        SELECT e.grantee FROM aclexplode(t.relacl) e
        UNION ALL
        SELECT e.grantee FROM pg_attribute s, aclexplode(s.attacl) e WHERE s.attrelid = t.oid) a
      WHERE a.grantee <> t.relowner) g
UNION ALL
SELECT 'a', format(CASE WHEN h.had THEN 'GRANT %s ON TABLE %s TO %I' ELSE 'REVOKE %s ON TABLE %s FROM %I' END,
                   h.privilege_type, h.name, pg_get_userbyid(h.relowner))
FROM (SELECT p.name, c.relowner, e.privilege_type, bool_or(e.oid = c.oid) AS had,
             bool_or(e.oid = t.oid) AS has
      FROM pair p JOIN pg_class c ON c.oid = p.leaving JOIN pg_class t ON t.oid = p.coming
      CROSS JOIN LATERAL (
        SELECT o.oid, a.privilege_type
        FROM pg_class o, aclexplode(coalesce(o.relacl, acldefault('r', o.relowner))) a
        WHERE o.oid IN (c.oid, t.oid) AND a.grantee = o.relowner) e
      WHERE c.relacl IS NOT NULL OR t.relacl IS NOT NULL
      GROUP BY p.name, c.relowner, e.privilege_type) h
WHERE h.had <> h.has
UNION ALL
SELECT 'a', format('GRANT %s%s ON TABLE %s TO %s%s', a.privilege_type, o.columns, o.name,
                   CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                  ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                   CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM (SELECT p.name, c.relowner, c.relacl AS acl, '' AS columns
      FROM pair p JOIN pg_class c ON c.oid = p.leaving
      UNION ALL
      SELECT p.name, c.relowner, s.attacl, format(' (%I)', t.attname)
      FROM pair p JOIN pg_class c ON c.oid = p.leaving JOIN pg_attribute s ON s.attrelid = c.oid
      JOIN same m ON m.old = s.attname
      JOIN pg_attribute t ON t.attrelid = p.coming AND t.attname = m.new AND NOT t.attisdropped
      WHERE s.attnum > 0 AND NOT s.attisdropped) o,
     aclexplode(o.acl) a
WHERE a.grantee <> o.relowner
)sql";

}  // namespace

constinit const Carried kGrants{.rows = kRows};

}  // namespace pgalter::cutover
