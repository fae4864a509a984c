#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// Of the foreign keys to the table, which are always dropped and made again. One that is adopted
// already may still lack its own.
constexpr const char* kRows = R"sql(
WITH commented AS (
  SELECT c.relkind, obj_description(f.oid, 'pg_constraint') AS text,
         format('COMMENT ON CONSTRAINT %I ON %I.%I IS ', f.conname, n.nspname, c.relname) AS says
  FROM inbound_key JOIN pg_constraint f USING (oid) JOIN pg_class c ON c.oid = f.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE f.contype = 'f' AND f.confrelid = :leaving AND (f.conparentid = 0 OR c.relkind <> 'p')
    AND f.conrelid NOT IN (SELECT oid FROM carried) AND f.oid NOT IN (SELECT oid FROM going))
SELECT CASE relkind WHEN 'p' THEN 'l' ELSE 'a' END, says || quote_literal(text)
FROM commented WHERE text IS NOT NULL
UNION ALL
SELECT 'l', u.sql FROM unnest(:unadopted) u (sql)
JOIN commented c ON c.relkind = 'p' AND c.text IS NULL AND starts_with(u.sql, c.says)
)sql";

}  // namespace

constinit const Carried kInboundKeyComments{.rows = kRows};

}  // namespace pgalter::cutover
