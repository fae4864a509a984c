#include <fmt/format.h>

#include "batcher/split/objects_sql.h"
#include "batcher/split/ranges.h"
#include "batcher/split/shape.h"
#include "batcher/split/steps.h"
#include "engine/async/fail_point.h"
#include "engine/run/failure.h"
#include "engine/run/transact.h"

namespace pgalter::split {

namespace {

// Under the lock. Triggers that are not those of the comparison may have missed a change: nothing
// is swapped.
std::string IdentityGuard(const std::string& query, const std::string& identity) {
  return "DO " +
         DollarQuoted(fmt::format(
             "BEGIN\n"
             "IF ({}) IS DISTINCT FROM {} THEN\n"
             "  RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE =\n"
             "    'the triggers that keep the new table up were changed or disabled while the "
             "tables were "
             "compared: nothing was swapped; resume compares again';\n"
             "END IF;\n"
             "END",
             query, sql::QuoteLiteral(identity)));
}

// A session whose snapshot is from before the end of the copy would not find the rows in the new
// table, and silently change none: it counts as a lock that is not to be had, and the ladder tries
// again. Asked before the lock, and again under it. VACUUM, and what builds an index concurrently,
// stand in no transaction of their user's. Of other roles' sessions backend_type is hidden without
// pg_read_all_stats, backend_xmin is not. Within a transaction the server shows of sessions what it
// showed first.
std::string SnapshotGuard(const std::string& copied_at) {
  return "DO " + DollarQuoted(fmt::format(
                     R"(DECLARE who text; BEGIN
PERFORM pg_catalog.pg_stat_clear_snapshot();
SELECT pg_catalog.format('pid %s (%s) holds a snapshot from before the rows were copied, in which '
    'the new table would be empty. Its transaction is waited for, under READ COMMITTED its '
    'statement: SELECT pg_terminate_backend(%s) ends it', a.pid,
    COALESCE(NULLIF(a.application_name, ''), 'unnamed'), a.pid) INTO who
  FROM pg_catalog.pg_stat_activity a
  WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
    AND COALESCE(a.backend_type, 'client backend') = 'client backend' AND a.usesysid IS NOT NULL
    AND a.application_name NOT LIKE 'pgalter%'
    AND pg_catalog.age(a.backend_xmin) >= pg_catalog.pg_current_xact_id()::text::bigint - {}
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_vacuum v WHERE v.pid = a.pid)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index i
                    WHERE i.pid = a.pid AND i.command LIKE '%CONCURRENTLY')
  ORDER BY a.xact_start LIMIT 1;
IF who IS NOT NULL THEN
  RAISE EXCEPTION USING ERRCODE = 'lock_not_available', MESSAGE = who;
END IF;
END)",
                     copied_at));
}

std::vector<std::string> Guarded(const state::Step& step, const plan::Split& split,
                                 std::vector<std::string> guards) {
  std::vector<std::string> sql = step.sql;
  if (async::SafeguardOn("split-shape") && !split.shape.empty())
    sql.insert(sql.begin() + 1, ShapeGuard(split));
  if (async::SafeguardOn("split-guard")) sql.insert(sql.begin() + 1, guards.begin(), guards.end());
  return sql;
}

}  // namespace

Task<bool> SwapStep::Done(run::Environment&, const state::Step&) { co_return false; }

Task<> SwapStep::Do(run::Environment& env, const state::Step& step) {
  const plan::Split split = SplitOfStep(env, step);
  // The comparison may take long: what stands in the way is said before it.
  if (async::SafeguardOn("split-shape")) co_await CheckShape(env, split);
  const std::string query = IdentityOfTriggers(split);
  const pg::Result before = co_await env.main.db().Query(query);
  const auto identity = before.Get<std::string>(0, 0);
  const state::Run own = RunWithPace(env);
  run::Environment with_own{env.sessions, env.main,     env.observer, env.stopper, env.lease,
                            own,          env.progress, env.control,  env.outside};
  co_await CompareAll(with_own, split);
  const pg::Result copied = co_await env.main.db().Query(
      "SELECT COALESCE(max(spec->>'copied_at'), '0') FROM pgalter.step"
      " WHERE run = $1 AND kind = 'split-copy'",
      env.run.id);
  run::Transacted what;
  const std::string snapshots = SnapshotGuard(copied.Get<std::string>(0, 0));
  what.sql = Guarded(step, split, {IdentityGuard(query, identity), snapshots});
  auto look = [&]() -> Task<> { co_await env.main.db().Query(snapshots); };
  if (async::SafeguardOn("split-guard")) what.before = look;
  std::exception_ptr refused;
  try {
    co_await run::Transact(env, step, std::move(what), env.stopper);
  } catch (const pg::PgError& error) {
    if (!error.Is(kShapeChanged)) throw;
    refused = std::current_exception();
  }
  if (!refused) co_return;
  co_await CheckShape(env, split);
  std::rethrow_exception(refused);
}

Task<> SwapStep::Undo(run::Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::split
