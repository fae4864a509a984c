#include "batcher/rebuild/key_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "batcher/backfill/chunk_sql.h"
#include "batcher/backfill/window_set.h"
#include "batcher/capture/flow_sql.h"
#include "batcher/capture/parts.h"
#include "batcher/copy/pace.h"
#include "batcher/rebuild/duplicates.h"
#include "batcher/rebuild/follow.h"
#include "batcher/rebuild/store.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"

namespace pgalter::rebuild {

using backfill::Block;
using capture::Flow;

namespace {

constexpr std::chrono::hours kLong{24 * 7};
constexpr Block kPurgeWindow = 16'384;
constexpr std::int64_t kEnough = 1'000;

// A session of its own: what runs for hours must not hold up the run's own.
Task<Session> OpenForLong(const run::Environment& env) {
  Session session = co_await copy::OpenSession(env);
  co_await session.db().Query("SELECT set_config('search_path', 'pg_catalog', false)");
  session.db().set_query_deadline(kLong);
  co_return session;
}

Task<bool> IsBuilt(Session& session, const Index& index) {
  const pg::Result row = co_await session.db().Query(
      "SELECT EXISTS (SELECT FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid"
      " WHERE x.indrelid = $1::regclass AND quote_ident(c.relname) = $2)",
      index.table, index.name);
  co_return row.Get<bool>(0, 0);
}

Task<> Build(run::Environment& env, Session& session, const Flow& flow, const Index& index) {
  env.progress.note = fmt::format("building index {}", index.name);
  auto build = [&]() -> Task<> {
    co_await guard::CheckLease(session, env.lease);
    co_await MakeIndex(session, index);
  };
  bool duplicates = false;
  try {
    co_await guard::RunInTransaction(session, build);
  } catch (const pg::PgError& error) {
    if (!error.Is(pg::sqlstate::kUniqueViolation)) throw;
    duplicates = true;
  }
  if (duplicates) {
    const std::string text = co_await DescribeDuplicates(session, flow, index);
    throw run::Failure(run::ExitCode::kError, text);
  }
  env.progress.note.clear();
  async::FailPoint("index-built");
}

Task<> PurgePart(run::Environment& env, throttle::Throttle& throttle, Session& session,
                 const Flow& flow, const capture::Part& part) {
  const pg::Result size = co_await session.db().Query(
      "SELECT pg_relation_size($1::oid::regclass) / current_setting('block_size')::int8", part.oid);
  const auto blocks = size.Get<std::int64_t>(0, 0);
  for (Block first = 0; first < blocks; first += kPurgeWindow) {
    co_await throttle.Admit(env.stopper);
    const auto begun = async::Clock::now();
    const std::string from = backfill::Tid(first);
    const std::string to = backfill::Tid(std::min(first + kPurgeWindow, blocks));
    auto purge = [&]() -> Task<> {
      co_await guard::CheckLease(session, env.lease);
      co_await session.db().Query(capture::PurgeStatement(flow, part.name), from, to);
    };
    co_await guard::RunInTransaction(session, purge);
    async::FailPoint("purged");
    co_await throttle.After(async::Clock::now() - begun, env.stopper);
  }
}

Task<> Purge(run::Environment& env, throttle::Throttle& throttle, Session& session,
             const Flow& flow) {
  auto take = [&]() -> Task<> {
    co_await guard::CheckLease(session, env.lease);
    co_await capture::TakeChanges(session, flow);
  };
  co_await guard::RunInTransaction(session, take);
  co_await session.db().Query(fmt::format("ANALYZE {}", flow.dirty()));
  const std::vector<capture::Part> parts = co_await capture::ReadParts(session, flow.to_oid);
  for (const capture::Part& part : parts) co_await PurgePart(env, throttle, session, flow, part);
}

Task<> BuildKey(run::Environment& env, throttle::Throttle& throttle, const Flow& flow,
                const Stored& stored) {
  Session session = co_await OpenForLong(env);
  std::vector<Index> missing;
  bool begun = false;
  for (const Index& index : stored.definition.indexes) {
    if (!index.key) continue;
    const bool built = co_await IsBuilt(session, index);
    begun = begun || built;
    if (!built) missing.push_back(index);
  }
  // Nothing is applied from the log before the key is whole, so one purge is enough.
  if (!missing.empty() && !begun && async::SafeguardOn("purge"))
    co_await Purge(env, throttle, session, flow);
  for (const Index& index : missing) {
    co_await throttle.Admit(env.stopper);
    co_await Build(env, session, flow, index);
  }
  Session user = co_await copy::OpenSession(env);
  co_await Follow(env, env.stopper, user, flow, kEnough);
}

Task<> BuildRest(run::Environment& env, throttle::Throttle& throttle, const Flow& flow,
                 const Stored& stored) {
  Session session = co_await OpenForLong(env);
  Session user = co_await copy::OpenSession(env);
  for (const Index& index : stored.definition.indexes) {
    const bool built = co_await IsBuilt(session, index);
    if (built) continue;
    co_await throttle.Admit(env.stopper);
    co_await Follow(env, env.stopper, user, flow, kEnough);
    co_await MatchExactly(user, flow, env.lease);
    co_await Build(env, session, flow, index);
  }
  co_await throttle.Admit(env.stopper);
  co_await session.db().Query(fmt::format("VACUUM (FREEZE, ANALYZE) {}", flow.to));
  co_await Follow(env, env.stopper, user, flow, kEnough);
}

using Building = Task<> (*)(run::Environment&, throttle::Throttle&, const Flow&, const Stored&);

// Table by table.
Task<> ForEach(run::Environment& env, Building building) {
  const std::vector<Flow> flows = co_await capture::LoadFlows(env.main, env.run.id, "forward");
  const std::vector<Stored> all = co_await LoadAll(env.main, env.run.id);
  for (std::size_t i = 0; i < flows.size(); ++i) {
    auto build = [&](throttle::Throttle& throttle) -> Task<> {
      co_await building(env, throttle, flows[i], all.at(i));
    };
    const std::function<Task<>(throttle::Throttle&)> body = build;
    co_await copy::WithThrottle(env, flows[i].from, body);
  }
}

}  // namespace

run::Task<bool> KeyStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> KeyStep::Do(run::Environment& env, const state::Step&) {
  co_await ForEach(env, &BuildKey);
}

run::Task<> KeyStep::Undo(run::Environment&, const state::Step&) { co_return; }

run::Task<bool> IndexesStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> IndexesStep::Do(run::Environment& env, const state::Step&) {
  co_await ForEach(env, &BuildRest);
}

run::Task<> IndexesStep::Undo(run::Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::rebuild
