#include "batcher/verify/leaf_pairs.h"

#include <algorithm>
#include <map>

#include "batcher/verify/rows_policy.h"

namespace pgalter::verify {

namespace {

constexpr Block kMostBlocks = 4096;
constexpr std::size_t kMostPairs = 64;  // each is two tables to plan for

double RowsOf(const LeafPair& pair) { return std::max(pair.from.rows, pair.to.rows); }
Block BlocksOf(const LeafPair& pair) { return std::max(pair.from.blocks, pair.to.blocks); }

}  // namespace

std::optional<std::vector<LeafPair>> PairLeaves(const std::vector<Leaf>& from,
                                                const std::vector<Leaf>& to) {
  if (from.size() != to.size()) return std::nullopt;
  std::map<std::string, const Leaf*> places;
  for (const Leaf& leaf : to) places[leaf.place] = &leaf;
  std::vector<LeafPair> pairs;
  for (const Leaf& leaf : from) {
    const auto twin = places.find(leaf.place);
    if (twin == places.end()) return std::nullopt;
    pairs.push_back({leaf, *twin->second});
    places.erase(twin);
  }
  return pairs;
}

bool IsSmall(const LeafPair& pair) {
  return RowsOf(pair) <= static_cast<double>(kRowsAtFirst) && BlocksOf(pair) <= kMostBlocks;
}

std::size_t CountForAStatement(const std::vector<LeafPair>& pairs, std::size_t next,
                               std::int64_t rows) {
  double sum = 0;
  Block blocks = 0;
  std::size_t end = next;
  while (end < pairs.size() && end - next < kMostPairs) {
    sum += RowsOf(pairs[end]);
    blocks += BlocksOf(pairs[end]);
    if (end > next && (sum > static_cast<double>(rows) || blocks > kMostBlocks)) break;
    ++end;
  }
  return end - next;
}

}  // namespace pgalter::verify
