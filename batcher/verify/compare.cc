#include "batcher/verify/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "batcher/backfill/chunk_sql.h"
#include "batcher/backfill/window_set.h"
#include "batcher/capture/flow_sql.h"
#include "batcher/capture/parts.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"

namespace pgalter::verify {

using backfill::Block;
using capture::Flow;

namespace {

constexpr Block kWindow = 512;

struct Found {
  std::int64_t rows = 0;
  std::vector<std::string> keys;
};

struct Scan {
  bool missing = false;  // rows of the source that the other lacks; else the other way round
  std::string statement;
  Block blocks = 0;
};

std::string LockBoth(const Flow& flow) {
  const std::string log = flow.run.empty() ? "" : fmt::format(", {}, {}", flow.log(), flow.dirty());
  return fmt::format("LOCK TABLE {}, {}{} IN ACCESS SHARE MODE", flow.from, flow.to, log);
}

// The locks come before the snapshot, or a TRUNCATE between the two would look like a difference.
Task<Found> CompareWindow(Session& session, const Flow& flow, std::string statement, Block first,
                          Block end) {
  Found found;
  auto compare = [&]() -> Task<> {
    co_await session.db().Query(LockBoth(flow));
    const pg::Result rows =
        co_await session.db().Query(statement, backfill::Tid(first), backfill::Tid(end));
    if (!rows.empty()) found.rows = rows.Get<std::int64_t>(0, 0);
    for (int i = 0; i < rows.rows(); ++i) found.keys.push_back(rows.Get<std::string>(i, 1));
  };
  co_await guard::RunInTransaction(session, compare);
  co_return found;
}

Task<Block> Blocks(Session& session, pg::Oid relation) {
  const pg::Result row = co_await session.db().Query(
      "SELECT pg_relation_size($1::oid::regclass) / current_setting('block_size')::int8", relation);
  co_return row.Get<std::int64_t>(0, 0);
}

Task<std::vector<Scan>> ScansOf(Session& session, const Flow& flow) {
  std::vector<Scan> scans;
  const std::vector<capture::Part> from = co_await capture::ReadParts(session, flow.from_oid);
  for (const capture::Part& part : from) {
    const Block blocks = co_await Blocks(session, part.oid);
    scans.push_back({true, capture::MissingStatement(flow, part.name), blocks});
  }
  const std::vector<capture::Part> to = co_await capture::ReadParts(session, flow.to_oid);
  for (const capture::Part& part : to) {
    const Block blocks = co_await Blocks(session, part.oid);
    scans.push_back({false, capture::SurplusStatement(flow, part.name), blocks});
  }
  co_return scans;
}

}  // namespace

Task<std::vector<Difference>> CompareTables(Session& session, const Flow& flow,
                                            throttle::Throttle& throttle, async::Stopper& stopper,
                                            std::size_t most, OnWindow on_window) {
  const std::vector<Scan> scans = co_await ScansOf(session, flow);
  Block all = 1;
  for (const Scan& scan : scans) all += scan.blocks;
  Block done = 0;
  std::vector<Difference> differences;
  for (const Scan& scan : scans) {
    for (Block first = 0; first < scan.blocks; first += kWindow) {
      co_await throttle.Admit(stopper);
      const auto begun = async::Clock::now();
      const Block end = std::min(first + kWindow, scan.blocks);
      Found found = co_await CompareWindow(session, flow, scan.statement, first, end);
      if (found.rows > 0) {
        Difference difference{scan.missing ? flow.from : flow.to,
                              scan.missing ? flow.to : flow.from, !scan.missing, found.rows,
                              std::move(found.keys)};
        differences.push_back(std::move(difference));
        if (differences.size() >= most) co_return differences;
      }
      done += end - first;
      on_window(static_cast<double>(done) / static_cast<double>(all));
      co_await throttle.After(async::Clock::now() - begun, stopper);
    }
    async::FailPoint("verified-one-way");
  }
  co_return differences;
}

}  // namespace pgalter::verify
