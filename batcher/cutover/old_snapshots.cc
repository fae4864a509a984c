#include "batcher/cutover/old_snapshots.h"

#include <fmt/format.h>

#include "engine/async/fail_point.h"

namespace pgalter::cutover {

// Of other roles' sessions a role without pg_read_all_stats learns neither state nor time: they are
// taken for such where their snapshot is older than this transaction, and no lock keeps them.
async::Task<> AwaitOldSnapshots(guard::Session& session) {
  if (!async::SafeguardOn("old-snapshots")) co_return;
  const pg::Result holder = co_await session.db().Query(
      "SELECT format('pid %s (%s)', pid, COALESCE(NULLIF(application_name, ''), 'unnamed'))"
      " FROM pg_stat_activity a WHERE datname = current_database() AND pid <> pg_backend_pid()"
      " AND backend_xmin IS NOT NULL AND (state LIKE 'idle in transaction%' OR state IS NULL"
      "   AND usesysid IS NOT NULL AND age(backend_xmin) > age(pg_current_xact_id()::xid)"
      "   AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND NOT l.granted))"
      " AND application_name NOT LIKE 'pgalter%' ORDER BY xact_start LIMIT 1");
  if (holder.empty()) co_return;
  pg::PgErrorFields fields;
  fields.sqlstate = pg::sqlstate::kLockNotAvailable;
  fields.message = fmt::format(
      "{} holds a snapshot from before the swap, in which the new table "
      "would be empty",
      holder.Get<std::string>(0, 0));
  throw pg::PgError(std::move(fields));
}

}  // namespace pgalter::cutover
