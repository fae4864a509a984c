// Ranges: two tables side by side, range after range of a key that both have an index for.
#pragma once

#include <vector>

#include "batcher/capture/compare_sql.h"
#include "batcher/verify/comparison.h"

namespace pgalter::verify {

Task<> CompareByRanges(Comparison& comparison, std::vector<Session>& sessions,
                       const capture::Walk& walk);

}  // namespace pgalter::verify
