#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// ALTER TRIGGER … and ALTER INDEX … DEPENDS ON EXTENSION. A trigger is always made anew; an index
// is there by then, with what it had before.
constexpr const char* kRows = R"sql(
WITH indexes AS (
  SELECT p.name, p.coming, x.indrelid, c.relname, d.refobjid
  FROM pair p CROSS JOIN LATERAL (
    SELECT indrelid, indexrelid FROM pg_index WHERE indrelid IN (p.leaving, p.coming) OFFSET 0) x
  CROSS JOIN LATERAL (SELECT relname FROM pg_class WHERE oid = x.indexrelid OFFSET 0) c
  LEFT JOIN LATERAL (
    SELECT refobjid FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = x.indexrelid
      AND objsubid = 0 AND refclassid = 'pg_extension'::regclass AND deptype = 'x' OFFSET 0) d
    ON true)
SELECT 'a', format('ALTER TRIGGER %I ON %s DEPENDS ON EXTENSION %I', t.tgname, :name, e.extname)
FROM users_trigger t CROSS JOIN LATERAL (
  SELECT refobjid FROM pg_depend WHERE classid = 'pg_trigger'::regclass AND objid = t.oid
    AND refclassid = 'pg_extension'::regclass AND deptype = 'x' OFFSET 0) d
JOIN pg_extension e ON e.oid = d.refobjid
WHERE t.tgrelid = :leaving AND NOT t.tgisinternal
UNION ALL
SELECT 'a', format('ALTER INDEX %I.%I %sDEPENDS ON EXTENSION %I', (parse_ident(o.name))[1], o.relname,
                   CASE WHEN o.indrelid = o.coming THEN 'NO ' ELSE '' END, e.extname)
FROM indexes o JOIN pg_extension e ON e.oid = o.refobjid
JOIN indexes i ON i.name = o.name AND i.relname = o.relname AND i.indrelid <> o.indrelid
WHERE NOT EXISTS (
  SELECT FROM indexes w WHERE w.name = o.name AND w.relname = o.relname
    AND w.indrelid <> o.indrelid AND w.refobjid = o.refobjid)
)sql";

}  // namespace

constinit const Carried kExtensions{.rows = kRows};

}  // namespace pgalter::cutover
