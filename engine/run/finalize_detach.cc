#include "engine/run/finalize_detach.h"

#include <fmt/format.h>

#include "engine/async/fail_point.h"
#include "engine/run/transact.h"

namespace pgalter::run {

namespace {

// A transaction elsewhere that keeps new snapshots as old as ours may last for hours. Then the
// attempt is made all the same, and succeeds where nobody queues behind it.
constexpr int kRefusals = 5;

struct Snapshots {
  std::string older;  // who holds one as old as ours; empty: nobody
  bool younger_from_now_on = false;
};

// Vacuum's snapshots are none that the server waits for.
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

// `refusals`: of this step, so far.
Task<> AwaitYoungerSnapshots(Environment& env, int& refusals) {
  const pg::Result row = co_await env.main.db().Query(
      "SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text");
  const auto oldest = row.Get<std::string>(0, 0);
  // Where nobody writes, every new snapshot would be as old.
  co_await env.observer.db().Query("SELECT pg_catalog.pg_current_xact_id()");
  const Snapshots seen = co_await LookAt(env.observer, oldest, env.main.server_pid());
  if (!seen.older.empty())
    Refuse(fmt::format("{} has a snapshot from before the detach", seen.older));
  if (seen.younger_from_now_on || ++refusals > kRefusals) co_return;
  Refuse(
      "a transaction that has written keeps new snapshots as old as those from before the detach");
}

}  // namespace

Task<> FinalizeDetach(Environment& env, const state::Step& step, std::string detach,
                      state::StepState becomes, async::Stopper& stopper) {
  int refusals = 0;
  Transacted what;
  what.sql = {detach + " FINALIZE"};
  what.becomes = becomes;
  if (async::SafeguardOn("detach-snapshot")) {
    what.isolation = guard::Isolation::kRepeatableRead;
    what.before = [&]() -> Task<> { co_await AwaitYoungerSnapshots(env, refusals); };
  }
  co_await Transact(env, step, std::move(what), stopper);
}

}  // namespace pgalter::run
