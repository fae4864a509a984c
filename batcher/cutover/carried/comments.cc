#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// Of parts the new table has what it was made with, and what users have said since. What is added
// in the swap has none before.
constexpr const char* kRows = R"sql(
SELECT 'a', format('COMMENT ON %s %s IS %L',
                   CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, p.name,
                   obj_description(c.oid, 'pg_class'))
FROM pair p JOIN pg_class c ON c.oid = p.leaving
WHERE obj_description(c.oid, 'pg_class') IS DISTINCT FROM obj_description(p.coming, 'pg_class')
UNION ALL
SELECT 'a', format('COMMENT ON COLUMN %s.%I IS %L', p.name, m.new, n.text)
FROM altered n JOIN pair p ON p.leaving = n.relid JOIN same m ON m.old = n.name
WHERE n.kind = 'column'
UNION ALL
SELECT 'a', format('COMMENT ON INDEX %I.%I IS %L', s.nspname, n.name, n.text)
FROM altered n JOIN pair p ON p.leaving = n.relid
CROSS JOIN LATERAL (SELECT relnamespace FROM pg_class WHERE oid = p.leaving OFFSET 0) c
JOIN pg_namespace s ON s.oid = c.relnamespace
WHERE n.kind = 'index' AND EXISTS (
  SELECT FROM (SELECT indexrelid FROM pg_index WHERE indrelid = p.coming OFFSET 0) x
  CROSS JOIN LATERAL (SELECT relname FROM pg_class WHERE oid = x.indexrelid OFFSET 0) i
  WHERE i.relname = n.name)
UNION ALL
SELECT 'a', format('COMMENT ON CONSTRAINT %I ON %s IS %L', n.name, p.name, n.text)
FROM altered n JOIN pair p ON p.leaving = n.relid
WHERE n.kind = 'constraint' AND EXISTS (
  SELECT FROM pg_constraint k WHERE k.conrelid = p.coming AND k.conname = n.name
    AND k.contype IN ('c', 'n', 'p', 'u', 'x'))
UNION ALL
SELECT 'a', format('COMMENT ON CONSTRAINT %I ON %s IS %L', n.name, :name, n.text)
FROM noted_now n
WHERE n.relid = :leaving AND n.kind = 'constraint' AND n.text IS NOT NULL AND EXISTS (
  SELECT FROM unnest(:checks) c (add)
  WHERE starts_with(c.add, format('ADD CONSTRAINT %I ', n.name)))
)sql";

}  // namespace

constinit const Carried kComments{.rows = kRows};

}  // namespace pgalter::cutover
