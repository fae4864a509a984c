#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// All of them are granted again, by the owner: also what somebody granted on.
constexpr const char* kRows = R"sql(
SELECT 'a', format('REVOKE ALL ON TABLE %s FROM %s CASCADE', g.name, g.grantee)
FROM (SELECT DISTINCT p.name, CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
      FROM pair p JOIN pg_class t ON t.oid = p.coming CROSS JOIN aclexplode(t.relacl) a
      WHERE a.grantee <> t.relowner) g
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
