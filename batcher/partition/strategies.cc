#include "batcher/partition/strategies.h"

#include <algorithm>
#include <utility>

#include "planner/plan/estimate.h"

namespace pgalter::partition {

namespace {

// Of a table that was never analysed nobody knows how many there are.
double RowsOf(const Prepared& prepared) {
  constexpr double kBytesEach = 200;
  return std::max(prepared.rows, static_cast<double>(prepared.bytes) / kBytesEach);
}

}  // namespace

Task<std::vector<Cost>> CompareStrategies(Session& session, const Prepared& prepared) {
  std::vector<std::string> keys;
  for (const WidenedKey& key : prepared.spec.keys) keys.push_back(key.index);
  const pg::Result row = co_await session.db().Query(
      "SELECT coalesce(sum(pg_relation_size(c.oid)), 0)::int8 FROM pg_index x"
      " JOIN pg_class c ON c.oid = x.indexrelid"
      " WHERE x.indrelid = $1 AND quote_ident(c.relname) = ANY ($2::text[])",
      prepared.oid, keys);
  const double rows = RowsOf(prepared);
  const auto bytes = static_cast<double>(prepared.bytes);
  Cost attach;
  attach.strategy = "attach";
  attach.time = plan::IndexesAndScanTime(rows, bytes, keys.size());
  attach.bytes = row.Get<std::int64_t>(0, 0);
  attach.blocked = "tens of ms, at any size";
  attach.rows = "in one partition, which `pgalter partition split` cuts later";
  Cost copy;
  copy.strategy = "copy";
  copy.time = plan::RebuildTime(rows, bytes);
  copy.bytes = 2 * prepared.bytes;
  copy.blocked = "tens of ms up to 100 partitions, more beyond, --hold-budget at most";
  copy.rows = "in a partition for each range";
  std::vector<Cost> costs;
  costs.push_back(std::move(attach));
  costs.push_back(std::move(copy));
  co_return costs;
}

}  // namespace pgalter::partition
