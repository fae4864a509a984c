#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// A stale row in the old table must not keep users from deleting its parent. A partitioned table
// takes no NOT VALID key before PostgreSQL 18: its partitions do, and when these are validated the
// table adopts them without a scan.
constexpr const char* kRows = R"sql(
WITH outbound AS (
  SELECT DISTINCT ON (f.conname) f.conname,
         f.convalidated OR format('ALTER TABLE %s VALIDATE CONSTRAINT %I', l.name, f.conname)
           = ANY (:unsettled) AS convalidated,
         regexp_replace(pg_get_constraintdef(f.oid), ' NOT VALID$', '') AS definition
  FROM leaving l JOIN pg_constraint f ON f.conrelid = l.oid
  WHERE f.contype = 'f' AND f.conparentid = 0 AND f.oid NOT IN (SELECT oid FROM going)
    AND NOT EXISTS (SELECT FROM unnest(f.conkey) k
                    JOIN pg_attribute s ON s.attrelid = f.conrelid AND s.attnum = k
                    WHERE NOT EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = :coming
                                      AND t.attname = s.attname AND NOT t.attisdropped))
  ORDER BY f.conname, f.conrelid)
SELECT 'b', format('ALTER TABLE %s DROP CONSTRAINT %I', l.name, f.conname)
FROM leaving l JOIN pg_constraint f ON f.conrelid = l.oid
WHERE f.contype = 'f' AND f.conparentid = 0
UNION ALL
SELECT 'a', format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', c.name, conname, definition)
FROM outbound, coming c WHERE c.has_rows
UNION ALL
SELECT 'v', format('ALTER TABLE %s VALIDATE CONSTRAINT %I', c.name, conname)
FROM outbound, coming c WHERE c.has_rows AND convalidated
UNION ALL
SELECT 'l', format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.name, conname, definition)
FROM outbound, coming c WHERE c.oid = :coming AND NOT c.has_rows
)sql";

}  // namespace

constinit const Carried kOwnKeys{
    .rows = kRows, .stays = &Staying::own_keys, .safeguard = "old-foreign-keys"};

}  // namespace pgalter::cutover
