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
// is swapped. A session whose snapshot is from before the end of the copy would not find the rows
// in the new table, and silently change none: it counts as a lock that is not to be had, and the
// ladder tries again. Of other roles' sessions backend_type is hidden without pg_read_all_stats,
// backend_xmin is not.
std::string Guard(const std::string& identity_query, const std::string& identity,
                  const std::string& copied_at) {
  return "DO " +
         DollarQuoted(fmt::format(
             "BEGIN\n"
             "IF ({}) IS DISTINCT FROM {} THEN\n"
             "  RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE =\n"
             "    'the triggers that keep the new table up were changed or disabled while the "
             "tables were "
             "compared: nothing was swapped; resume compares again';\n"
             "END IF;\n"
             "IF EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE datname = "
             "pg_catalog.current_database()\n"
             "    AND COALESCE(backend_type, 'client backend') = 'client backend' AND usesysid IS "
             "NOT NULL\n"
             "    AND pid <> pg_catalog.pg_backend_pid()\n"
             "    AND application_name NOT LIKE 'pgalter%' AND pg_catalog.age(backend_xmin) >=\n"
             "      pg_catalog.pg_current_xact_id()::text::bigint - {}) THEN\n"
             "  RAISE EXCEPTION USING ERRCODE = 'lock_not_available', MESSAGE =\n"
             "    'a session holds a snapshot from before the rows were copied';\n"
             "END IF;\n"
             "END",
             identity_query, sql::QuoteLiteral(identity), copied_at));
}

std::vector<std::string> Guarded(const state::Step& step, const plan::Split& split,
                                 const std::string& guard) {
  std::vector<std::string> sql = step.sql;
  if (async::SafeguardOn("split-shape") && !split.shape.empty())
    sql.insert(sql.begin() + 1, ShapeGuard(split));
  if (async::SafeguardOn("split-guard")) sql.insert(sql.begin() + 1, guard);
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
  what.sql = Guarded(step, split, Guard(query, identity, copied.Get<std::string>(0, 0)));
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
