#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// Which index the table is clustered by, where users have said another one since; what the new
// definition says stays. It is no reason to keep a table from its place: one that the table that
// comes has not, or that it cannot be clustered by, is left out.
constexpr const char* kRows = R"sql(
WITH mine AS (
  SELECT p.leaving, p.name, i.relname, x.indisclustered,
         x.indisvalid AND x.indpred IS NULL AND pg_index_has_property(x.indexrelid, 'clusterable')
           AS fits
  FROM pair p JOIN pg_class t ON t.oid = p.coming AND t.relkind = 'r'
  JOIN pg_index x ON x.indrelid = p.coming JOIN pg_class i ON i.oid = x.indexrelid)
SELECT 'a', format('ALTER TABLE %s CLUSTER ON %I', m.name, m.relname)
FROM altered n JOIN mine m ON m.leaving = n.relid AND m.relname = n.name
WHERE n.kind = 'order' AND n.text IS NOT NULL AND m.fits AND NOT m.indisclustered
UNION ALL
SELECT 'a', format('ALTER TABLE %s SET WITHOUT CLUSTER', m.name)
FROM altered n JOIN mine m ON m.leaving = n.relid AND m.relname = n.name
WHERE n.kind = 'order' AND n.text IS NULL AND m.indisclustered
  AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = n.relid AND indisclustered)
)sql";

}  // namespace

constinit const Carried kClustering{.rows = kRows};

}  // namespace pgalter::cutover
