#include "batcher/capture/log_tables.h"

#include <string>

#include "batcher/capture/flow_sql.h"

namespace pgalter::capture {

namespace {

// $1 the table. Of a partitioned one that of a partition, as it may have none itself. Empty: that
// of the database.
constexpr const char* kPlace = R"sql(
SELECT set_config('default_tablespace', coalesce((
  SELECT s.spcname FROM pg_class c JOIN pg_tablespace s ON s.oid = c.reltablespace
  WHERE (c.oid = $1 OR c.oid IN (SELECT relid FROM pg_partition_tree($1)))
    AND has_tablespace_privilege(s.oid, 'CREATE')
  ORDER BY c.relpages DESC, c.oid LIMIT 1), ''), true)
)sql";

}  // namespace

Task<> MakeLogTables(Session& session, const Flow& flow) {
  co_await session.db().Query(kPlace, flow.from_oid);
  for (const std::string& sql : MakeTables(flow)) co_await session.db().Query(sql);
  co_await session.db().Query("RESET default_tablespace");
}

}  // namespace pgalter::capture
