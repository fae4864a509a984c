#include "batcher/backfill/stripe_policy.h"

namespace pgalter::backfill {

Stripes JudgeStripes(const TableShape& shape) {
  // One row a page: no other pass frees room on it. With two, the heap grows half as much as in
  // plain ranges, in the same time (bench/results.md).
  constexpr double kFewestRowsPerPage = 1.5;
  if (shape.target_indexed) return Stripes::kUselessIndexed;
  if (shape.rows_per_page < kFewestRowsPerPage) return Stripes::kUselessFewRows;
  return Stripes::kUseful;
}

}  // namespace pgalter::backfill
