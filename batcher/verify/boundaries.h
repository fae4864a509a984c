// Boundaries: where the ranges of a walk end.
//
// Any value of the key is a right one, as long as each range begins where the one before ended. So
// most are taken from rows of a few blocks, which are read once; counting along the index costs a
// tenth of the comparison, and more where it is that of many partitions. It is counted where the
// sample has nothing near enough, and behind its end, where rows may have come since.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "batcher/capture/compare_sql.h"
#include "batcher/verify/comparison.h"

namespace pgalter::verify {

using Key = std::vector<std::string>;  // empty: before the first row, or behind the last

capture::Ends EndsOf(const Key& lower, const Key& upper);

class Boundaries {
 public:
  Boundaries(const capture::Flow& flow, capture::Walk walk) : flow_(flow), walk_(std::move(walk)) {}

  // Of rows from `lower` on. None of a table that is small, or that was never analysed.
  Task<> ReadSample(Comparison& comparison, Session& session, const Key& lower, const Size& size);

  // The end of a range of about so many rows that begins at `lower`, where the one before ended.
  Task<Key> Next(Session& session, const Key& lower, std::int64_t rows);

 private:
  Task<Key> Count(Session& session, const Key& lower, const Key& upper, std::int64_t rows);

  const capture::Flow& flow_;
  capture::Walk walk_;
  std::vector<Key> sample_;  // in order
  std::size_t next_ = 0;     // those before are no longer ahead
  double rows_between_ = 1;  // two of them
};

}  // namespace pgalter::verify
