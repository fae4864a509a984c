// Bisection: finds the rows for which a chunk fails, updates the others.
#pragma once

#include "batcher/backfill/chunk.h"

namespace pgalter::backfill {

struct BadRow {
  std::string key;
  std::string sqlstate;
  std::string object;
};

struct BisectResult {
  ChunkEnd end = ChunkEnd::kDone;  // kDone: every row was updated or is in `bad`
  std::int64_t updated = 0;
  std::vector<BadRow> bad;
};

// Over the rows of the next pass of `window`. Does not record the window. Stops at the first bad
// row when `most_bad` is 1.
Task<BisectResult> Bisect(const ChunkContext& context, const Leaf& leaf, const Window& window,
                          Milliseconds statement_timeout, std::size_t most_bad);

}  // namespace pgalter::backfill
