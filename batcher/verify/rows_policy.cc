#include "batcher/verify/rows_policy.h"

#include <algorithm>

namespace pgalter::verify {

void RowsPolicy::Done(std::int64_t rows, std::chrono::duration<double> took) {
  constexpr double kUsual = 0.25;
  constexpr double kLongest = 4;  // no snapshot is held for longer
  constexpr double kTimesByItself = 3;
  const double now = std::max(took.count(), 0.001);
  if (last_rows_ > 0 && last_rows_ != rows) {
    const double for_a_row = (now - last_took_) / static_cast<double>(rows - last_rows_);
    const double least = std::min(now, last_took_);
    by_itself_ = std::clamp(now - std::max(for_a_row, 0.0) * static_cast<double>(rows), 0.0, least);
  }
  last_rows_ = rows;
  last_took_ = now;
  const double target = std::clamp(kTimesByItself * by_itself_, kUsual, kLongest);
  const double next = static_cast<double>(rows) * std::clamp(target / now, 0.25, 2.0);
  rows_ = std::clamp(static_cast<std::int64_t>(next), std::int64_t{1}, kMostRows);
}

}  // namespace pgalter::verify
