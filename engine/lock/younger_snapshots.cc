#include "engine/lock/younger_snapshots.h"

#include <fmt/format.h>

namespace pgalter::lock {

namespace {

// A transaction elsewhere that keeps new snapshots as old as ours may last for hours. Then the
// attempt is made all the same, and succeeds where nobody queues behind it.
constexpr int kRefusals = 5;

struct Snapshots {
  std::string older;  // who holds one as old as ours; empty: nobody
  bool younger_from_now_on = false;
};

// Vacuum's snapshots are none that the server waits for. What kind of session it is, is hidden from
// a role without rights on it; its snapshot is not.
Task<Snapshots> LookAt(guard::Session& observer, std::string oldest, int ours) {
  const pg::Result row = co_await observer.db().Query(
      "SELECT COALESCE((SELECT pg_catalog.format('pid %s', a.pid)"
      "   FROM pg_catalog.pg_stat_activity a"
      "   WHERE a.datname = pg_catalog.current_database()"
      "     AND a.pid NOT IN ($2, pg_catalog.pg_backend_pid())"
      "     AND pg_catalog.age(a.backend_xmin) >= pg_catalog.age($1::xid8::xid)"
      "     AND a.backend_type IS DISTINCT FROM 'autovacuum worker'"
      "     AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_vacuum v WHERE v.pid = a.pid)"
      "   ORDER BY a.pid LIMIT 1), ''),"
      " pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()) > $1::xid8",
      oldest, ours);
  Snapshots seen;
  seen.older = row.Get<std::string>(0, 0);
  seen.younger_from_now_on = row.Get<bool>(0, 1);
  co_return seen;
}

[[noreturn]] void Refuse(std::string why) {
  pg::PgErrorFields fields;
  fields.sqlstate = pg::sqlstate::kLockNotAvailable;
  fields.message = std::move(why);
  throw pg::PgError(std::move(fields));
}

}  // namespace

Task<> YoungerSnapshots::Demand() {
  const pg::Result row = co_await session_.db().Query(
      "SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text");
  const auto oldest = row.Get<std::string>(0, 0);
  // Where nobody writes, every new snapshot would be as old.
  co_await observer_.db().Query("SELECT pg_catalog.pg_current_xact_id()");
  const Snapshots seen = co_await LookAt(observer_, oldest, session_.server_pid());
  if (!seen.older.empty())
    Refuse(fmt::format("{} has a snapshot from before this attempt", seen.older));
  if (seen.younger_from_now_on || ++refusals_ > kRefusals) co_return;
  Refuse("a transaction that has written, perhaps in another database, keeps new snapshots as old");
}

}  // namespace pgalter::lock
