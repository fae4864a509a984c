#include "batcher/backfill/horizon.h"

namespace pgalter::backfill {

Task<Horizon> ReadHorizon(Session& session) {
  // A slot and a prepared transaction have no age in seconds: any that holds the horizon behind
  // the newest transactions counts as held for long.
  const pg::Result rows = co_await session.db().Query(R"sql(
SELECT held_s, holder FROM (
  SELECT EXTRACT(epoch FROM clock_timestamp() - COALESCE(xact_start, backend_start))::float8 AS held_s,
         format('pid %s (%s, %s)', pid, COALESCE(NULLIF(application_name, ''), 'unnamed'),
                COALESCE(state, backend_type)) AS holder
  FROM pg_stat_activity
  WHERE (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) AND application_name NOT LIKE 'pgalter%'
    AND (datname = current_database() OR datname IS NULL) AND backend_type <> 'autovacuum worker'
  UNION ALL
  SELECT EXTRACT(epoch FROM clock_timestamp() - prepared)::float8,
         format('prepared transaction %L', gid)
  FROM pg_prepared_xacts WHERE database = current_database()
  UNION ALL
  SELECT 3600, format('replication slot %I', slot_name)
  FROM pg_replication_slots WHERE xmin IS NOT NULL AND age(xmin) > 10000
) h ORDER BY held_s DESC LIMIT 1)sql");
  Horizon horizon;
  if (rows.empty()) co_return horizon;
  horizon.held_s = rows.Get<double>(0, 0);
  horizon.holder = rows.Get<std::string>(0, 1);
  co_return horizon;
}

}  // namespace pgalter::backfill
