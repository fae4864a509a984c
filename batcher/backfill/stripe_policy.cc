#include "batcher/backfill/stripe_policy.h"

namespace pgalter::backfill {

Stripes JudgeStripes(const TableShape& shape) {
  // Below this many rows a page, a pass frees too little of a page for the next version to fit.
  constexpr double kFewestRowsPerPage = 4;
  if (shape.target_indexed) return Stripes::kUselessIndexed;
  if (shape.rows_per_page < kFewestRowsPerPage) return Stripes::kUselessFewRows;
  return Stripes::kUseful;
}

}  // namespace pgalter::backfill
