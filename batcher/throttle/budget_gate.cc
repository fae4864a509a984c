#include "batcher/throttle/budget_gate.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/watch/unit.h"

namespace pgalter::throttle {

void BudgetGate::Note(std::span<const watch::Reading> readings) {
  limit_ = 0;
  for (const watch::Reading& reading : readings) {
    if (reading.signal != "extra-bytes" || reading.seen != watch::Seen::kMeasured) continue;
    limit_ = reading.limit;
    if (reading.value != value_) counted_ = begun_;
    value_ = reading.value;
  }
}

std::optional<double> BudgetGate::left() const {
  if (limit_ <= 0) return std::nullopt;
  return std::max(0.0, limit_ - value_ - (spent_ - counted_));
}

std::optional<std::string> BudgetGate::WhyShut() const {
  const auto rest = left();
  if (!rest || *rest > 0) return std::nullopt;
  return fmt::format("extra-bytes {}/{}, with what was written since it was read",
                     watch::Format(value_ + spent_ - counted_, watch::Unit::kBytes),
                     watch::Format(limit_, watch::Unit::kBytes));
}

}  // namespace pgalter::throttle
