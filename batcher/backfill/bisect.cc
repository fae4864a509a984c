#include "batcher/backfill/bisect.h"

#include <span>

namespace pgalter::backfill {

namespace {

struct Place {
  std::string tid;
  std::string key;
};

Task<std::vector<Place>> ReadPlaces(const ChunkContext& context, const Leaf& leaf,
                                    const Window& window) {
  const ChunkShape shape{StripeOf(window.stripes, window.passes, leaf.shape), RowLocks::kWait};
  const pg::Result rows = co_await context.session.db().Query(PlacesStatement(leaf.relation, shape),
                                                              Tid(window.first), Tid(window.end));
  std::vector<Place> places;
  for (int i = 0; i < rows.rows(); ++i)
    places.push_back({rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1)});
  co_return places;
}

Task<ChunkResult> TryPlaces(const ChunkContext& context, const Leaf& leaf,
                            std::span<const Place> places, Milliseconds statement_timeout) {
  std::vector<std::string> tids;
  for (const Place& place : places) tids.push_back(place.tid);
  auto body = [&]() -> Task<ChunkCounts> {
    const pg::Result updated = co_await context.session.db().Query(
        UpdatePlacesStatement(leaf.relation, context.columns, context.work), tids);
    ChunkCounts counts;
    counts.updated = CountUpdated(updated, context.work, leaf);
    co_return counts;
  };
  const ChunkBody run_body = body;
  co_return co_await RunChunkBody(context, leaf, statement_timeout, run_body, nullptr);
}

}  // namespace

Task<BisectResult> Bisect(const ChunkContext& context, const Leaf& leaf, const Window& window,
                          Milliseconds statement_timeout, std::size_t most_bad) {
  BisectResult result;
  const std::vector<Place> places = co_await ReadPlaces(context, leaf, window);
  std::vector<std::span<const Place>> pending;
  if (!places.empty()) pending.emplace_back(places);
  while (!pending.empty()) {
    const std::span<const Place> part = pending.back();
    pending.pop_back();
    const ChunkResult tried = co_await TryPlaces(context, leaf, part, statement_timeout);
    if (tried.end == ChunkEnd::kDone) {
      result.updated += tried.updated;
    } else if (tried.end != ChunkEnd::kBadRow) {
      result.end = tried.end;
      co_return result;
    } else if (part.size() == 1) {
      result.bad.push_back({part.front().key, tried.sqlstate, tried.object});
      if (result.bad.size() >= most_bad) co_return result;
    } else {
      pending.push_back(part.subspan(part.size() / 2));
      pending.push_back(part.first(part.size() / 2));
    }
  }
  co_return result;
}

}  // namespace pgalter::backfill
