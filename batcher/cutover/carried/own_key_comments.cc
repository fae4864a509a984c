#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// Of the table's own foreign keys, which are dropped and made again. A partitioned table has them
// when it has adopted those of its partitions, which have the comment until then.
constexpr const char* kRows = R"sql(
WITH own AS (
  SELECT DISTINCT ON (f.conname) f.conname, obj_description(f.oid, 'pg_constraint') AS text
  FROM leaving l JOIN pg_constraint f ON f.conrelid = l.oid
  WHERE f.contype = 'f' AND (f.conparentid = 0 OR :unsettled <> '{}')
    AND f.oid NOT IN (SELECT oid FROM going)
    AND obj_description(f.oid, 'pg_constraint') IS NOT NULL
    AND NOT EXISTS (SELECT FROM unnest(f.conkey) k
                    JOIN pg_attribute s ON s.attrelid = f.conrelid AND s.attnum = k
                    WHERE NOT EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = :coming
                                      AND t.attname = s.attname AND NOT t.attisdropped))
  ORDER BY f.conname, f.conrelid)
SELECT 'a', format('COMMENT ON CONSTRAINT %I ON %s IS %L', conname, c.name, text)
FROM own, coming c WHERE c.has_rows
UNION ALL
SELECT 'l', format('COMMENT ON CONSTRAINT %I ON %s IS %L', conname, c.name, text)
FROM own, coming c WHERE c.oid = :coming AND NOT c.has_rows
UNION ALL
SELECT 'l', format('COMMENT ON CONSTRAINT %I ON %s IS NULL', conname, c.name)
FROM own, coming c WHERE c.oid <> :coming AND c.has_rows
)sql";

}  // namespace

constinit const Carried kOwnKeyComments{.rows = kRows, .stays = &Staying::own_keys};

}  // namespace pgalter::cutover
