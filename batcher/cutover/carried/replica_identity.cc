#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

constexpr const char* kRows = R"sql(
SELECT 'a', format('ALTER TABLE %s REPLICA IDENTITY %s', o.name,
                   CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING'
                     WHEN 'd' THEN 'DEFAULT' ELSE 'USING INDEX ' || quote_ident(i.relname) END)
FROM (SELECT leaving, coming, name FROM pair
      UNION ALL SELECT :leaving, oid, name FROM coming WHERE oid <> :coming AND NOT :alike) o
JOIN pg_class c ON c.oid = o.leaving JOIN pg_class t ON t.oid = o.coming
LEFT JOIN pg_index x ON x.indrelid = c.oid AND x.indisreplident
LEFT JOIN pg_class i ON i.oid = x.indexrelid
WHERE c.relreplident = 'i' OR c.relreplident <> t.relreplident
)sql";

}  // namespace

constinit const Carried kReplicaIdentity{.rows = kRows};

}  // namespace pgalter::cutover
