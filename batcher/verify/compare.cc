#include "batcher/verify/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "batcher/backfill/chunk_sql.h"
#include "batcher/capture/compare_sql.h"
#include "batcher/capture/parts.h"
#include "batcher/verify/comparison.h"
#include "batcher/verify/leaves.h"
#include "batcher/verify/places.h"
#include "batcher/verify/ranges.h"
#include "batcher/verify/walk.h"
#include "engine/async/fail_point.h"
#include "engine/run/failure.h"

namespace pgalter::verify {

using capture::Flow;
using capture::Part;

namespace {

constexpr Block kWindow = 512;
constexpr int kMostTimes = 100;  // that a table is moved while it is compared

struct Scan {
  std::string statement;
  Block blocks = 0;
};

Task<Block> Blocks(Session& session, pg::Oid relation) {
  const pg::Result row = co_await session.db().Query(
      "SELECT pg_relation_size($1::oid::regclass) / current_setting('block_size')::int8", relation);
  co_return row.Get<std::int64_t>(0, 0);
}

Task<std::vector<Scan>> ScansOf(Session& session, const Flow& flow, const std::vector<Part>& from,
                                const std::vector<Part>& to, capture::Lookup lookup) {
  std::vector<Scan> scans;
  for (const Part& part : from) {
    const Block blocks = co_await Blocks(session, part.oid);
    scans.push_back({capture::MissingStatement(flow, part.name, lookup), blocks});
  }
  for (const Part& part : to) {
    const Block blocks = co_await Blocks(session, part.oid);
    scans.push_back({capture::SurplusStatement(flow, part.name), blocks});
  }
  co_return scans;
}

Task<> CompareOnce(Comparison& comparison, std::vector<Session>& sessions) {
  std::optional<std::vector<LeafPair>> pairs =
      co_await ReadLeafPairs(sessions.front(), comparison.flow);
  bool compared = false;
  if (pairs) compared = co_await CompareByLeaves(comparison, sessions, std::move(*pairs));
  if (!compared) co_await CompareRows(comparison, sessions);
}

// Under the names that they had when this began.
Task<bool> AreThere(Session& session, const Flow& flow) {
  std::vector<std::string> names{flow.to};
  std::vector<std::int64_t> oids{flow.to_oid};
  for (const capture::Source& source : flow.sources()) {
    names.push_back(source.name);
    oids.push_back(source.oid);
  }
  const pg::Result row = co_await session.db().Query(
      "SELECT bool_and(coalesce(to_regclass(name)::oid = relid, false))"
      " FROM unnest($1::text[], $2::int8[]) u (name, relid)",
      names, oids);
  co_return row.Get<bool>(0, 0);
}

}  // namespace

Task<> CompareByBlocks(Comparison& comparison, Session& session, const std::vector<Part>& from,
                       const std::vector<Part>& to, capture::Lookup lookup) {
  const std::vector<Scan> scans = co_await ScansOf(session, comparison.flow, from, to, lookup);
  const std::optional<pg::Statement> unchecked;
  Block all = 1;
  for (const Scan& scan : scans) all += scan.blocks;
  Block done = 0;
  for (const Scan& scan : scans) {
    for (Block first = 0; first < scan.blocks; first += kWindow) {
      const Block end = std::min(first + kWindow, scan.blocks);
      const pg::Params places = pg::Params::Of(backfill::Tid(first), backfill::Tid(end));
      const auto took =
          co_await CompareWindow(comparison, session, scan.statement, places, unchecked);
      if (comparison.over()) co_return;
      done += end - first;
      comparison.options.on_window(static_cast<double>(done) / static_cast<double>(all));
      co_await comparison.throttle.After(took, comparison.stopper);
    }
  }
}

Task<> CompareRows(Comparison& comparison, std::vector<Session>& sessions) {
  Session& first = sessions.front();
  const Ways ways = co_await ReadWays(first, comparison.flow);
  std::optional<Layout> layout;
  if (!ways.in_order && ways.lookup == capture::Lookup::kByIndex)
    layout = co_await ReadLayout(comparison, first);
  if (layout) {
    co_await CompareByPlaces(comparison, sessions, std::move(*layout));
  } else if (ways.walk) {
    co_await CompareByRanges(comparison, sessions, *ways.walk);
  } else {
    const std::vector<Part> from = co_await capture::ReadSourceParts(first, comparison.flow);
    const std::vector<Part> to = co_await capture::ReadParts(first, comparison.flow.to_oid);
    co_await CompareByBlocks(comparison, first, from, to, ways.lookup);
  }
}

Task<std::vector<Difference>> CompareTables(std::vector<Session>& sessions, const Flow& flow,
                                            throttle::Throttle& throttle, async::Stopper& stopper,
                                            CompareOptions options) {
  Comparison comparison{flow, throttle, stopper, options, {}, false};
  for (int times = 0; times < kMostTimes; ++times) {
    comparison.moved = false;
    std::optional<pg::PgError> gone;
    try {
      co_await CompareOnce(comparison, sessions);
    } catch (const pg::PgError& error) {
      if (!error.Is(pg::sqlstate::kUndefinedTable)) throw;
      gone = error;
    }
    if (gone) {
      const bool there = co_await AreThere(sessions.front(), flow);
      if (!there) throw *gone;
      comparison.moved = true;  // a part is not
    }
    if (!comparison.moved) break;
    // Somebody rewrote, emptied or dropped a part: its blocks are not what they were.
    options.from = Mark();
    comparison.differences.clear();
  }
  if (comparison.moved)
    throw run::Failure(run::ExitCode::kError,
                       fmt::format("{} or {} is rewritten again and again: it cannot be compared "
                                   "meanwhile. The same again when that is over",
                                   flow.source_names(), flow.to));
  async::FailPoint("compared");
  co_return std::move(comparison.differences);
}

}  // namespace pgalter::verify
