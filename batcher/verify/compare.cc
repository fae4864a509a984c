#include "batcher/verify/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "batcher/backfill/chunk_sql.h"
#include "batcher/backfill/window_set.h"
#include "batcher/capture/compare_sql.h"
#include "batcher/capture/parts.h"
#include "batcher/verify/walk.h"
#include "engine/async/fail_point.h"
#include "engine/async/mutex.h"
#include "engine/async/task_group.h"
#include "engine/guard/transaction.h"

namespace pgalter::verify {

using backfill::Block;
using capture::Flow;

namespace {

constexpr Block kWindow = 512;
constexpr std::int64_t kRowsAtFirst = 20'000;
constexpr std::int64_t kMostRows = 200'000;
constexpr std::chrono::milliseconds kRangeTime{250};

// What all ways of comparing have.
struct Comparison {
  const Flow& flow;
  throttle::Throttle& throttle;
  async::Stopper& stopper;
  const CompareOptions& options;
  std::vector<Difference> differences;

  [[nodiscard]] bool over() const { return differences.size() >= options.most; }
};

// The locks come before the snapshot, or a TRUNCATE between the two would look like a difference.
// A hash of one range should stay in memory.
std::vector<pg::Statement> BeforeTheSnapshot(const Flow& flow) {
  const std::string log = flow.run.empty() ? "" : fmt::format(", {}, {}", flow.log(), flow.dirty());
  std::vector<pg::Statement> statements;
  statements.push_back(
      {fmt::format("LOCK TABLE {}, {}{} IN ACCESS SHARE MODE", flow.from, flow.to, log), {}});
  statements.push_back({"SELECT pg_catalog.set_config('work_mem', '64MB', true)", {}});
  return statements;
}

// Throttled, in a transaction of its own. How long it took.
Task<async::Clock::duration> CompareWindow(Comparison& comparison, Session& session,
                                           std::string statement, pg::Params params) {
  co_await comparison.throttle.Admit(comparison.stopper);
  const auto begun = async::Clock::now();
  pg::Result rows;
  auto compare = [&]() -> Task<> {
    std::vector<pg::Statement> statements = BeforeTheSnapshot(comparison.flow);
    statements.push_back({statement, params});
    auto results = co_await session.db().Pipeline(std::move(statements));
    rows = std::move(results.back());
  };
  co_await guard::RunInTransaction(session, compare);
  const auto took = async::Clock::now() - begun;
  const Flow& flow = comparison.flow;
  for (int i = 0; i < rows.rows(); ++i) {
    const bool surplus = rows.Get<bool>(i, 2);
    if (i == 0 || surplus != rows.Get<bool>(i - 1, 2)) {
      Difference difference;
      difference.of = surplus ? flow.to : flow.from;
      difference.in = surplus ? flow.from : flow.to;
      difference.one_way = surplus;
      difference.rows = rows.Get<std::int64_t>(i, 0);
      comparison.differences.push_back(std::move(difference));
    }
    comparison.differences.back().keys.push_back(rows.Get<std::string>(i, 1));
  }
  co_return took;
}

struct Scan {
  std::string statement;
  Block blocks = 0;
};

Task<Block> Blocks(Session& session, pg::Oid relation) {
  const pg::Result row = co_await session.db().Query(
      "SELECT pg_relation_size($1::oid::regclass) / current_setting('block_size')::int8", relation);
  co_return row.Get<std::int64_t>(0, 0);
}

Task<std::vector<Scan>> ScansOf(Session& session, const Flow& flow, capture::Lookup lookup) {
  std::vector<Scan> scans;
  const std::vector<capture::Part> from = co_await capture::ReadParts(session, flow.from_oid);
  for (const capture::Part& part : from) {
    const Block blocks = co_await Blocks(session, part.oid);
    scans.push_back({capture::MissingStatement(flow, part.name, lookup), blocks});
  }
  const std::vector<capture::Part> to = co_await capture::ReadParts(session, flow.to_oid);
  for (const capture::Part& part : to) {
    const Block blocks = co_await Blocks(session, part.oid);
    scans.push_back({capture::SurplusStatement(flow, part.name), blocks});
  }
  co_return scans;
}

Task<> CompareByBlocks(Comparison& comparison, Session& session, capture::Lookup lookup) {
  const std::vector<Scan> scans = co_await ScansOf(session, comparison.flow, lookup);
  Block all = 1;
  for (const Scan& scan : scans) all += scan.blocks;
  Block done = 0;
  for (const Scan& scan : scans) {
    for (Block first = 0; first < scan.blocks; first += kWindow) {
      const Block end = std::min(first + kWindow, scan.blocks);
      const pg::Params places = pg::Params::Of(backfill::Tid(first), backfill::Tid(end));
      const auto took = co_await CompareWindow(comparison, session, scan.statement, places);
      if (comparison.over()) co_return;
      done += end - first;
      comparison.options.on_window(static_cast<double>(done) / static_cast<double>(all));
      co_await comparison.throttle.After(took, comparison.stopper);
    }
  }
}

// The planner's own estimate of how many rows there are.
Task<double> EstimateRows(Session& session, pg::Oid table) {
  const pg::Result row = co_await session.db().Query(
      "SELECT coalesce(sum(greatest(reltuples, 0)), 0)::float8 FROM pg_class"
      " WHERE relkind = 'r' AND (oid = $1 OR oid IN (SELECT relid FROM pg_partition_tree($1)))",
      table);
  co_return row.Get<double>(0, 0);
}

using Key = std::vector<std::string>;  // empty: the end of the table

Task<Key> NextBoundary(Session& session, const Flow& flow, const capture::Walk& walk,
                       const Key& lower, std::int64_t rows) {
  pg::Params params;
  for (const std::string& value : lower) params.Add(value);
  params.Add(rows);
  std::vector<pg::Statement> statements;
  statements.push_back({capture::BoundaryStatement(flow, walk, !lower.empty()), params});
  const auto found = co_await session.db().Pipeline(std::move(statements));
  Key key;
  if (!found.front().empty())
    for (int i = 0; i < found.front().columns(); ++i)
      key.push_back(found.front().Get<std::string>(0, i));
  co_return key;
}

capture::Ends EndsOf(const Key& lower, const Key& upper) {
  if (lower.empty()) return upper.empty() ? capture::Ends::kNone : capture::Ends::kUpper;
  return upper.empty() ? capture::Ends::kLower : capture::Ends::kBoth;
}

// As many rows as should take the time of a range, from what the last one took.
std::int64_t NextRows(std::int64_t rows, async::Clock::duration took) {
  const double factor =
      std::chrono::duration<double>(kRangeTime) /
      std::max(std::chrono::duration<double>(took), std::chrono::duration<double>(0.001));
  const double next = static_cast<double>(rows) * std::clamp(factor, 0.25, 2.0);
  return std::clamp(static_cast<std::int64_t>(next), std::int64_t{1}, kMostRows);
}

// The ranges of a walk, one after the other; any number of sessions take them.
class Ranges {
 public:
  Ranges(Comparison& comparison, capture::Walk walk, std::vector<std::string> columns, double all,
         const boost::asio::any_io_executor& executor)
      : comparison_(comparison),
        walk_(std::move(walk)),
        columns_(std::move(columns)),
        all_(all),
        mutex_(executor) {
    if (comparison.options.from.walk == columns_) next_ = comparison.options.from.key;
  }

  Task<> Work(Session& session) {
    for (;;) {
      comparison_.stopper.ThrowIfStopping();
      if (at_end_ || comparison_.over()) co_return;
      const std::optional<Range> range = co_await Take(session);
      if (!range) co_return;
      pg::Params ends;
      for (const Key& key : {range->lower, range->upper})
        for (const std::string& value : key) ends.Add(value);
      std::string statement =
          capture::RangeStatement(comparison_.flow, walk_, EndsOf(range->lower, range->upper));
      const auto took =
          co_await CompareWindow(comparison_, session, std::move(statement), std::move(ends));
      if (comparison_.over()) co_return;
      open_.erase(range->number);
      done_ += range->rows;
      rows_ = NextRows(range->rows, took);
      comparison_.options.on_window(
          std::min(1.0, static_cast<double>(done_) / std::max(all_, 1.0)));
      co_await Keep();
      async::FailPoint("range-compared");
      co_await comparison_.throttle.After(took, comparison_.stopper);
    }
  }

 private:
  struct Range {
    int number = 0;
    Key lower;
    Key upper;
    std::int64_t rows = 0;
  };

  // Where a range ends is known when it is looked for; the next one begins there.
  Task<std::optional<Range>> Take(Session& session) {
    co_await mutex_.Lock();
    const async::Held held(mutex_);
    if (at_end_) co_return std::nullopt;
    Range range;
    range.number = taken_++;
    range.lower = next_;
    range.rows = rows_;
    open_[range.number] = range.lower;
    range.upper = co_await NextBoundary(session, comparison_.flow, walk_, range.lower, range.rows);
    next_ = range.upper;
    at_end_ = next_.empty();
    co_return range;
  }

  // Below the lowest range that is not done yet, everything is.
  Task<> Keep() {
    constexpr async::Milliseconds kEvery{2000};
    if (!comparison_.options.keep) co_return;
    co_await mutex_.Lock();
    const async::Held held(mutex_);
    const auto now = async::Clock::now();
    if (now - kept_ < async::LimitOf("compared-kept-every", kEvery)) co_return;
    kept_ = now;
    const Key low = open_.empty() ? next_ : open_.begin()->second;
    if (low.empty()) co_return;  // the first range, or the last one, which nobody has to go on from
    Mark mark{columns_, low};
    co_await comparison_.options.keep(std::move(mark));
  }

  Comparison& comparison_;
  capture::Walk walk_;
  std::vector<std::string> columns_;
  double all_;
  async::Mutex mutex_;
  std::int64_t rows_ = kRowsAtFirst;
  std::int64_t done_ = 0;
  Key next_;
  bool at_end_ = false;
  int taken_ = 0;
  std::map<int, Key> open_;  // begun, by number: where they begin
  async::Clock::time_point kept_ = async::Clock::now();
};

std::vector<std::string> ColumnsOf(const Flow& flow, const capture::Walk& walk) {
  std::vector<std::string> columns;
  for (const std::size_t i : walk.columns) columns.push_back(flow.key[i].from);
  return columns;
}

Task<> CompareByRanges(Comparison& comparison, std::vector<Session>& sessions,
                       const capture::Walk& walk) {
  const Flow& flow = comparison.flow;
  const pg::Oid table = walk.of_to ? flow.to_oid : flow.from_oid;
  const double all = co_await EstimateRows(sessions.front(), table);
  Ranges ranges(comparison, walk, ColumnsOf(flow, walk), all,
                co_await boost::asio::this_coro::executor);
  auto crew = [&](async::TaskGroup& group) -> Task<> {
    for (Session& session : sessions) group.Spawn(ranges.Work(session));
    co_return;
  };
  co_await async::WithTaskGroup(crew);
}

}  // namespace

Task<std::vector<Difference>> CompareTables(std::vector<Session>& sessions, const Flow& flow,
                                            throttle::Throttle& throttle, async::Stopper& stopper,
                                            CompareOptions options) {
  Comparison comparison{flow, throttle, stopper, options, {}};
  const Ways ways = co_await ReadWays(sessions.front(), flow);
  if (ways.walk) {
    co_await CompareByRanges(comparison, sessions, *ways.walk);
  } else {
    co_await CompareByBlocks(comparison, sessions.front(), ways.lookup);
  }
  async::FailPoint("compared");
  co_return std::move(comparison.differences);
}

}  // namespace pgalter::verify
