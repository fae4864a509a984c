#include "batcher/rebuild/build.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>
#include <string>
#include <utility>

#include "batcher/copy/pace.h"
#include "batcher/rebuild/duplicates.h"
#include "engine/async/fail_point.h"
#include "engine/async/task_group.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"

namespace pgalter::rebuild {

using capture::Flow;

namespace {

constexpr std::chrono::hours kLong{24 * 7};

enum class Built { kNo, kIndex, kWhole };

Task<Built> StateOf(Session& session, const Index& index) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT EXISTS (SELECT FROM pg_constraint WHERE conindid = x.indexrelid)"
      " FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid"
      " WHERE x.indrelid = $1::regclass AND quote_ident(c.relname) = $2",
      index.table, index.name);
  if (rows.empty()) co_return Built::kNo;
  if (index.constraint.empty() || rows.Get<bool>(0, 0)) co_return Built::kWhole;
  co_return Built::kIndex;
}

Task<std::set<std::string>> ReadPartitioned(Session& session, const std::vector<Index>& indexes) {
  std::vector<std::string> tables;
  for (const Index& index : indexes) tables.push_back(index.table);
  const pg::Result rows = co_await session.db().Query(
      "SELECT DISTINCT t FROM unnest($1::text[]) AS t JOIN pg_class c ON c.oid = t::regclass"
      " WHERE c.relkind = 'p'",
      tables);
  std::set<std::string> partitioned;
  for (int i = 0; i < rows.rows(); ++i) partitioned.insert(rows.Get<std::string>(i, 0));
  co_return partitioned;
}

// One build's memory and processes, a share of each.
Task<> SetShare(Session& session, std::size_t sharers) {
  co_await session.db().Query(
      "SELECT set_config('maintenance_work_mem', greatest(1024, pg_size_bytes(current_setting("
      "'maintenance_work_mem')) / 1024 / $1) || 'kB', false),"
      " set_config('max_parallel_maintenance_workers', greatest(0, (current_setting("
      "'max_parallel_maintenance_workers')::int8 + 1) / $1 - 1)::text, false)",
      static_cast<std::int64_t>(sharers));
}

// In a transaction of its own.
template <class Make>
Task<> BuildOne(run::Environment& env, Session& session, const Flow& flow, const Index& index,
                Make make) {
  env.progress.note = fmt::format("building index {}", index.name);
  auto build = [&]() -> Task<> {
    co_await guard::CheckLease(session, env.lease);
    co_await make(session, index);
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
}

// What the sessions take from.
struct Queue {
  run::Environment& env;
  throttle::Throttle& throttle;
  const Flow& flow;
  std::deque<Index> indexes;
  std::size_t sessions = 1;
  std::size_t begun = 0;
  async::Clock::time_point until;
  double share = 0;  // of the work of this phase, each

  [[nodiscard]] bool over() const {
    return indexes.empty() || (begun > 0 && async::Clock::now() >= until);
  }
};

Task<> Work(Queue& queue) {
  Session session = co_await OpenForLong(queue.env);
  co_await SetShare(session, queue.sessions);
  while (!queue.over()) {
    const Index index = queue.indexes.front();
    queue.indexes.pop_front();
    ++queue.begun;
    co_await queue.throttle.Admit(queue.env.stopper);
    co_await BuildOne(queue.env, session, queue.flow, index, &CreateIndex);
    queue.env.progress.fraction += queue.share;
    if (index.constraint.empty()) {
      async::FailPoint("index-built");
    } else {
      async::FailPoint("index-made");
    }
  }
}

// Each by itself, nothing waits for another's lock: where one had its constraint already, it would
// wait for the others on its table, which may wait for it.
Task<> CreateSideBySide(run::Environment& env, throttle::Throttle& throttle, const Flow& flow,
                        std::deque<Index> indexes, async::Clock::time_point until, double share) {
  const auto workers = static_cast<std::size_t>(std::max(1, copy::WorkersOf(env)));
  const std::size_t sessions = std::min(workers, indexes.size());
  Queue queue{env, throttle, flow, std::move(indexes), sessions, 0, until, share};
  auto crew = [&](async::TaskGroup& group) -> Task<> {
    for (std::size_t i = 0; i < queue.sessions; ++i) group.Spawn(Work(queue));
    co_return;
  };
  co_await async::WithTaskGroup(crew);
}

}  // namespace

Task<Session> OpenForLong(const run::Environment& env) {
  Session session = co_await copy::OpenSession(env);
  co_await session.db().Query(
      "SELECT pg_catalog.set_config('search_path', 'pg_catalog' || coalesce(', ' || "
      "nullif(current_setting('search_path'), ''), ''), false)");
  session.db().set_query_deadline(kLong);
  co_return session;
}

Task<std::vector<Index>> ReadMissing(Session& session, const std::vector<Index>& indexes) {
  std::vector<Index> missing;
  for (const Index& index : indexes) {
    const Built built = co_await StateOf(session, index);
    if (built != Built::kWhole) missing.push_back(index);
  }
  co_return missing;
}

Task<bool> IsBegun(Session& session, const std::vector<Index>& indexes) {
  for (const Index& index : indexes) {
    const Built built = co_await StateOf(session, index);
    if (built != Built::kNo) co_return true;
  }
  co_return false;
}

Task<> Build(run::Environment& env, throttle::Throttle& throttle, const Flow& flow,
             std::vector<Index> missing, async::Clock::time_point until) {
  Session session = co_await OpenForLong(env);
  const std::set<std::string> partitioned = co_await ReadPartitioned(session, missing);
  const double still = 1 - env.progress.fraction;
  std::deque<Index> side_by_side;
  for (const Index& index : missing) {
    if (index.create.empty() || partitioned.contains(index.table)) continue;
    const Built built = co_await StateOf(session, index);
    if (built == Built::kNo) side_by_side.push_back(index);
  }
  // Of those that are missing, each; what is made side by side may get its constraint later.
  const double share = still / static_cast<double>(missing.size() + side_by_side.size() + 1);
  if (!side_by_side.empty())
    co_await CreateSideBySide(env, throttle, flow, std::move(side_by_side), until, share);
  for (const Index& index : missing) {
    const Built built = co_await StateOf(session, index);
    if (built == Built::kWhole) continue;
    const bool apart = !index.create.empty() && !partitioned.contains(index.table);
    if (apart && built == Built::kNo) co_return;  // those that adopt it come behind it
    co_await throttle.Admit(env.stopper);
    if (apart) {
      co_await BuildOne(env, session, flow, index, &AddConstraint);
    } else {
      co_await BuildOne(env, session, flow, index, &MakeIndex);
    }
    env.progress.fraction += share;
    async::FailPoint("index-built");
  }
}

}  // namespace pgalter::rebuild
