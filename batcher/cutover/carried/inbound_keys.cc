#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// Those of a partitioned table are added to its partitions, as above, and adopted then. A partition
// may be gone by the time its key is validated.
constexpr const char* kRows = R"sql(
WITH found AS (
  SELECT f.oid, f.conrelid, f.conname, f.convalidated, c.relkind = 'p' AS partitioned,
         c.relispartition, format('%I.%I', n.nspname, c.relname) AS name,
         NOT EXISTS (SELECT FROM pg_constraint p
                     WHERE p.oid = f.conparentid AND p.confrelid = f.confrelid) AS own,
         f.oid NOT IN (SELECT oid FROM going) AS stays,
         regexp_replace(pg_get_constraintdef(f.oid), ' NOT VALID$', '') AS definition
  FROM inbound_key JOIN pg_constraint f USING (oid) JOIN pg_class c ON c.oid = f.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE f.confrelid = :leaving AND f.contype = 'f'
    AND f.conrelid NOT IN (SELECT oid FROM carried)),
inbound AS (
  SELECT *, format('ALTER TABLE %s%s VALIDATE CONSTRAINT %I',
                   CASE WHEN relispartition THEN 'IF EXISTS ' ELSE '' END, name, conname) AS validate
  FROM found)
SELECT 'b', format('ALTER TABLE %s DROP CONSTRAINT %I', name, conname) FROM inbound WHERE own
UNION ALL
SELECT 'a', format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', name, conname, definition)
FROM inbound WHERE NOT partitioned AND stays
UNION ALL
SELECT 'v', validate FROM inbound
WHERE NOT partitioned AND stays AND (convalidated OR validate = ANY (:unsettled))
UNION ALL
SELECT 'l', format('ALTER TABLE %s ADD CONSTRAINT %I %s', name, conname, pg_get_constraintdef(oid))
FROM inbound WHERE partitioned AND own AND stays
UNION ALL
SELECT 'l', u.sql FROM unnest(:unadopted) u (sql)
WHERE EXISTS (
  SELECT FROM inbound i, pg_partition_ancestors(i.conrelid) a
  JOIN pg_class c ON c.oid = a.relid JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL (SELECT format('%I.%I', n.nspname, c.relname) AS name) t
  WHERE i.own AND i.relispartition AND a.relid <> i.conrelid
    AND (starts_with(u.sql, format('ALTER TABLE %s ADD CONSTRAINT ', t.name))
           AND right(u.sql, length(i.definition)) = i.definition
         OR starts_with(u.sql, 'COMMENT ON CONSTRAINT ')
           AND strpos(u.sql, format(' ON %s IS ', t.name)) > 0))
)sql";

}  // namespace

constinit const Carried kInboundKeys{.rows = kRows};

}  // namespace pgalter::cutover
