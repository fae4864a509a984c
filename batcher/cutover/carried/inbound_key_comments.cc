#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// Of the foreign keys to the table, which are always dropped and made again.
constexpr const char* kRows = R"sql(
SELECT CASE c.relkind WHEN 'p' THEN 'l' ELSE 'a' END,
       format('COMMENT ON CONSTRAINT %I ON %I.%I IS %L', f.conname, n.nspname, c.relname,
              obj_description(f.oid, 'pg_constraint'))
FROM inbound_key JOIN pg_constraint f USING (oid) JOIN pg_class c ON c.oid = f.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE f.contype = 'f' AND f.confrelid = :leaving AND (f.conparentid = 0 OR c.relkind <> 'p')
  AND obj_description(f.oid, 'pg_constraint') IS NOT NULL
  AND f.conrelid NOT IN (SELECT oid FROM carried) AND f.oid NOT IN (SELECT oid FROM going)
)sql";

}  // namespace

constinit const Carried kInboundKeyComments{.rows = kRows};

}  // namespace pgalter::cutover
