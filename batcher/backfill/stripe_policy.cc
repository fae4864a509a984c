#include "batcher/backfill/stripe_policy.h"

#include <algorithm>
#include <cmath>

namespace pgalter::backfill {

namespace {

// What a page of 8 kB has for rows, and how much longer a row gets: its new value, and a line
// pointer for the version that stays.
constexpr double kPageBytes = 8168;
constexpr double kGrowthBytes = 12;

// The first position that pass `pass` does not take any more. No pass is without a position.
int EndOf(int stripes, int pass, const TableShape& shape) {
  if (pass < 0) return 0;
  if (pass + 1 >= stripes) return kPositions;
  const double row = kPageBytes / std::max(shape.rows_per_page, 1.0);
  const double ratio = row / (row + kGrowthBytes);
  const double share = (1 - std::pow(ratio, pass + 1)) / (1 - std::pow(ratio, stripes));
  const int wanted = static_cast<int>(std::lround(share * kPositions));
  return std::clamp(wanted, EndOf(stripes, pass - 1, shape) + 1, kPositions - (stripes - pass - 1));
}

}  // namespace

Stripes JudgeStripes(const TableShape& shape) {
  // One row a page: no other pass frees room on it. With two, the heap grows half as much as in
  // plain ranges, in the same time (bench/results.md).
  constexpr double kFewestRowsPerPage = 1.5;
  if (shape.target_indexed) return Stripes::kUselessIndexed;
  if (shape.rows_per_page < kFewestRowsPerPage) return Stripes::kUselessFewRows;
  return Stripes::kUseful;
}

Stripe StripeOf(int stripes, int pass, const TableShape& shape) {
  return {EndOf(stripes, pass - 1, shape), EndOf(stripes, pass, shape)};
}

double LargestShare(int stripes, const TableShape& shape) {
  return static_cast<double>(EndOf(stripes, 0, shape)) / kPositions;
}

}  // namespace pgalter::backfill
