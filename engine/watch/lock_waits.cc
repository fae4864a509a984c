#include "engine/watch/lock_waits.h"

namespace pgalter::watch {

namespace {

// pg_blocking_pids is called for sessions that wait, and no others: it takes the lock table's
// locks. It also counts who stands in the queue behind a lock that we wait for. A wait for a
// transaction has no database in pg_locks; its session has.
constexpr const char* kWaiting = R"sql(
WITH sessions AS MATERIALIZED (SELECT pid, datname, application_name FROM pg_stat_activity),
ours AS MATERIALIZED (
  SELECT coalesce(array_agg(pid), '{}') AS pids FROM sessions WHERE application_name = $1),
waiting AS MATERIALIZED (
  SELECT pid, min(waitstart) AS since FROM pg_locks WHERE NOT granted GROUP BY pid),
for_us AS MATERIALIZED (
  SELECT w.since FROM waiting w, ours o
  WHERE NOT w.pid = ANY (o.pids) AND pg_blocking_pids(w.pid) && o.pids)
SELECT (SELECT count(*) FROM for_us),
       (SELECT coalesce(extract(epoch FROM max(clock_timestamp() - since)) * 1000, 0)::float8
        FROM for_us),
       (SELECT count(*)::float8 FROM waiting w JOIN sessions s ON s.pid = w.pid
        WHERE s.datname = current_database() AND s.application_name <> $1),
       (SELECT count(*) FROM waiting w, ours o WHERE w.pid = ANY (o.pids))
)sql";

}  // namespace

Task<LockWaits> ReadLockWaits(SignalContext& context) {
  auto& read = context.memory.round_waits;
  if (read) co_return *read;
  const std::string ours = guard::ApplicationName(context.options.run);
  const pg::Result row = co_await context.session.db().Query(kWaiting, ours);
  LockWaits waits;
  waits.for_us = row.Get<std::int64_t>(0, 0);
  waits.longest_for_us = row.Get<double>(0, 1);
  waits.blocked = row.Get<double>(0, 2);
  waits.ours = row.Get<std::int64_t>(0, 3);
  read = std::make_shared<const LockWaits>(waits);
  co_return waits;
}

}  // namespace pgalter::watch
