#include "batcher/rebuild/key_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "batcher/backfill/chunk_sql.h"
#include "batcher/backfill/window_set.h"
#include "batcher/capture/flow_sql.h"
#include "batcher/capture/parts.h"
#include "batcher/copy/pace.h"
#include "batcher/rebuild/build.h"
#include "batcher/rebuild/follow.h"
#include "batcher/rebuild/store.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"

namespace pgalter::rebuild {

using backfill::Block;
using capture::Flow;

namespace {

constexpr Block kPurgeWindow = 16'384;
constexpr std::int64_t kEnough = 1'000;

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

std::vector<Index> IndexesOf(const Stored& stored, bool key) {
  std::vector<Index> indexes;
  for (const Index& index : stored.definition.indexes)
    if (!key || index.key) indexes.push_back(index);
  return indexes;
}

Task<> BuildKey(run::Environment& env, throttle::Throttle& throttle, const Flow& flow,
                const Stored& stored) {
  Session session = co_await OpenForLong(env);
  const std::vector<Index> keys = IndexesOf(stored, true);
  std::vector<Index> missing = co_await ReadMissing(session, keys);
  const bool begun = co_await IsBegun(session, keys);
  // Nothing is applied from the log before the key is whole, so one purge is enough.
  if (!missing.empty() && !begun && async::SafeguardOn("purge"))
    co_await Purge(env, throttle, session, flow);
  co_await Build(env, throttle, flow, std::move(missing), async::Clock::time_point::max());
  Session user = co_await copy::OpenSession(env);
  co_await Follow(env, env.stopper, user, flow, kEnough);
}

// As many as can be begun within a minute, then what was changed meanwhile. What is unique in one
// snapshot stays so while nothing is applied, however many are built.
Task<> BuildRest(run::Environment& env, throttle::Throttle& throttle, const Flow& flow,
                 const Stored& stored) {
  constexpr async::Milliseconds kFollowEvery{60'000};
  Session session = co_await OpenForLong(env);
  Session user = co_await copy::OpenSession(env);
  const std::vector<Index> all = IndexesOf(stored, false);
  for (;;) {
    std::vector<Index> missing = co_await ReadMissing(session, all);
    if (missing.empty()) break;
    co_await throttle.Admit(env.stopper);
    co_await Follow(env, env.stopper, user, flow, kEnough);
    co_await MatchExactly(user, flow, env.lease);
    const auto until = async::Clock::now() + async::LimitOf("follow-every", kFollowEvery);
    co_await Build(env, throttle, flow, std::move(missing), until);
  }
  co_await throttle.Admit(env.stopper);
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
