#include "batcher/verify/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"

namespace pgalter::verify {

using capture::Flow;
using capture::Part;

namespace {

// The locks come before the snapshot, or a TRUNCATE between the two would look like a difference.
// A hash of one range should stay in memory; and code made for a statement over many partitions
// takes longer than the statement.
std::vector<pg::Statement> BeforeTheSnapshot(const Flow& flow, const std::string& tables) {
  const std::string log = flow.run.empty() ? "" : fmt::format(", {}, {}", flow.log(), flow.dirty());
  std::vector<pg::Statement> statements;
  statements.push_back({fmt::format("LOCK TABLE {}{} IN ACCESS SHARE MODE", tables, log), {}});
  statements.push_back(
      {"SELECT pg_catalog.set_config('work_mem', '64MB', true),"
       " pg_catalog.set_config('jit', 'off', true)",
       {}});
  return statements;
}

bool AreSame(const std::vector<Part>& one, const std::vector<Part>& other) {
  return std::ranges::equal(one, other, [](const Part& a, const Part& b) {
    return a.oid == b.oid && a.filenode == b.filenode && a.since == b.since;
  });
}

}  // namespace

Task<async::Clock::duration> CompareWindow(Comparison& comparison, Session& session,
                                           std::string statement, pg::Params params,
                                           std::optional<pg::Statement> check, std::string tables) {
  co_await comparison.throttle.Admit(comparison.stopper);
  const auto begun = async::Clock::now();
  if (tables.empty())
    tables = fmt::format("{}, {}", comparison.flow.source_names(), comparison.flow.to);
  pg::Result rows;
  auto compare = [&]() -> Task<> {
    std::vector<pg::Statement> statements = BeforeTheSnapshot(comparison.flow, tables);
    if (check) statements.push_back(*check);
    statements.push_back({statement, params});
    auto results = co_await session.db().Pipeline(std::move(statements));
    rows = std::move(results.back());
    if (check && !results.at(results.size() - 2).Get<bool>(0, 0)) comparison.moved = true;
  };
  co_await guard::RunInTransaction(session, compare);
  if (comparison.moved) co_return async::Clock::duration::zero();
  const auto took = async::Clock::now() - begun;
  const Flow& flow = comparison.flow;
  for (int i = 0; i < rows.rows(); ++i) {
    const bool surplus = rows.Get<bool>(i, 2);
    if (i == 0 || surplus != rows.Get<bool>(i - 1, 2)) {
      Difference difference;
      difference.of = surplus ? flow.to : flow.source_names();
      difference.in = surplus ? flow.source_names() : flow.to;
      difference.one_way = surplus;
      difference.rows = rows.Get<std::int64_t>(i, 0);
      comparison.differences.push_back(std::move(difference));
    }
    comparison.differences.back().keys.push_back(rows.Get<std::string>(i, 1));
  }
  co_return took;
}

Task<> CheckParts(Comparison& comparison, Session& session, const std::vector<Part>& from,
                  const std::vector<Part>& to) {
  const std::vector<Part> from_now = co_await capture::ReadSourceParts(session, comparison.flow);
  const std::vector<Part> to_now = co_await capture::ReadParts(session, comparison.flow.to_oid);
  if (!async::SafeguardOn("compared-files")) co_return;
  if (!AreSame(from, from_now) || !AreSame(to, to_now)) comparison.moved = true;
}

Task<Size> EstimateSize(Session& session, pg::Oid table) {
  std::vector<std::int64_t> tables{table};
  co_return co_await EstimateSizeOf(session, std::move(tables));
}

Task<Size> EstimateSizeOf(Session& session, std::vector<std::int64_t> tables) {
  const pg::Result row = co_await session.db().Query(
      "SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::float8,"
      " coalesce(sum(c.relpages), 0)::float8,"
      " coalesce(bool_and(c.relkind = 'r' AND m.amname = 'heap'), false)"
      " FROM pg_class c LEFT JOIN pg_am m ON m.oid = c.relam WHERE c.relkind IN ('r', 'f')"
      " AND (c.oid = ANY ($1::int8[]) OR c.oid IN (SELECT relid FROM unnest($1::int8[]::oid[]) g"
      " (root), pg_partition_tree(root)))",
      tables);
  co_return Size{row.Get<double>(0, 0), row.Get<double>(0, 1), row.Get<bool>(0, 2)};
}

}  // namespace pgalter::verify
