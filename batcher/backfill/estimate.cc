#include "batcher/backfill/estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>

namespace pgalter::backfill {

namespace {

// Rows a second and worker: from narrow rows in memory without a pause down to a slow disk, or a
// throttle at half speed.
constexpr double kFastest = 150'000;
constexpr double kSlowest = 15'000;
// WAL of one updated row beside the row itself: headers, and the indexes' share.
constexpr double kWalPerRow = 100;

Task<double> PlannedRows(Session& session, const Prepared& prepared, const Leaf& leaf) {
  const pg::Result plan = co_await session.db().Query(
      fmt::format("EXPLAIN (FORMAT JSON) SELECT 1 FROM ONLY {} AS {} WHERE {}", leaf.relation.name,
                  leaf.relation.alias, prepared.work.needs));
  const auto parsed = boost::json::parse(plan.Bytes(0, 0));
  co_return parsed.at(0).at("Plan").at("Plan Rows").to_number<double>();
}

}  // namespace

Task<Estimate> MakeEstimate(Session& session, const Prepared& prepared) {
  Estimate estimate;
  const pg::Result block =
      co_await session.db().Query("SELECT current_setting('block_size')::bigint");
  const auto block_size = static_cast<double>(block.Get<std::int64_t>(0, 0));
  double rows = 0;
  double wal = 0;
  double most_rows = -1;
  for (const Leaf& leaf : prepared.leaves) {
    const double planned =
        std::min(co_await PlannedRows(session, prepared, leaf), std::max(leaf.rows, 0.0));
    rows += planned;
    estimate.table_rows += static_cast<std::int64_t>(leaf.rows);
    const double bytes = static_cast<double>(leaf.blocks) * block_size;
    estimate.table_bytes += static_cast<std::int64_t>(bytes);
    const double share = leaf.rows > 0 ? planned / leaf.rows : 0;
    // A full-page image of each page touched, and each row once more.
    wal += bytes * std::min(1.0, share * std::max(leaf.shape.rows_per_page, 1.0)) + share * bytes +
           planned * kWalPerRow;
    if (leaf.rows <= most_rows) continue;
    most_rows = leaf.rows;
    estimate.stripes = prepared.spec.stripes > 0                      ? prepared.spec.stripes
                       : JudgeStripes(leaf.shape) == Stripes::kUseful ? kStripes
                                                                      : 1;
  }
  const double workers = prepared.spec.workers;
  estimate.rows = static_cast<std::int64_t>(rows);
  estimate.low_s = rows / (kFastest * workers);
  estimate.high_s = rows / (kSlowest * workers) + 1;
  estimate.wal_low_bytes = static_cast<std::int64_t>(wal * 0.6);
  estimate.wal_high_bytes = static_cast<std::int64_t>(wal * 2);
  co_return estimate;
}

}  // namespace pgalter::backfill
