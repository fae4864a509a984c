#include "batcher/backfill/horizon.h"

namespace pgalter::backfill {

Task<Horizon> ReadHorizon(Session& session) {
  // What holds the horizon without a transaction of its own (a slot, a standby's feedback) moves on
  // in steps and has no age in seconds: far behind the newest transactions counts as held for long.
  // Vacuums hold nothing.
  const pg::Result rows = co_await session.db().Query(R"sql(
SELECT held_s, holder FROM (
  SELECT CASE WHEN xact_start IS NOT NULL
              THEN EXTRACT(epoch FROM clock_timestamp() - xact_start)::float8
              WHEN greatest(age(backend_xmin), age(backend_xid)) > 10000 THEN 3600
              ELSE 0 END AS held_s,
         format('pid %s (%s, %s)', pid, COALESCE(NULLIF(application_name, ''), 'unnamed'),
                COALESCE(state, backend_type)) AS holder
  FROM pg_stat_activity a
  WHERE (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) AND application_name NOT LIKE 'pgalter%'
    AND (datname = current_database() OR datname IS NULL) AND backend_type <> 'autovacuum worker'
    AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum v WHERE v.pid = a.pid)
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
