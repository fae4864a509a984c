// Leaf pairs: which leaf of a tree of partitions is which of another one with the same bounds.
// Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "batcher/backfill/window_set.h"
#include "batcher/capture/parts.h"

namespace pgalter::verify {

using backfill::Block;

struct Leaf {
  capture::Part part;
  std::string place;  // partition key and bound of each level above it and of itself
  Block blocks = 0;   // with those of long values
  double rows = 0;    // about
};

struct LeafPair {
  Leaf from;
  Leaf to;
};

// In the order of `from`. nullopt: the trees are not alike.
std::optional<std::vector<LeafPair>> PairLeaves(const std::vector<Leaf>& from,
                                                const std::vector<Leaf>& to);

// Small enough to be read at once.
bool IsSmall(const LeafPair& pair);

// How many of `pairs`, from number `next` on, are compared in one statement of about so many rows;
// one at least.
std::size_t CountForAStatement(const std::vector<LeafPair>& pairs, std::size_t next,
                               std::int64_t rows);

}  // namespace pgalter::verify
