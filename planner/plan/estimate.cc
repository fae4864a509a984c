#include "planner/plan/estimate.h"

namespace pgalter::plan {

namespace {

// Assumed, not measured: from a fast disk and warm caches down to a busy server with cold ones.
struct Rate {
  double best = 1;
  double worst = 1;
};
constexpr Rate kScannedBytes{1.5e9, 1e8};  // a second
constexpr Rate kWrittenBytes{2e8, 2e7};
constexpr Rate kIndexedRows{2e6, 1e5};
constexpr Rate kBackfilledRows{1e5, 5e3};

// What only changes the catalog.
constexpr Duration kInstant{0, 0.1};

Duration At(double amount, Rate rate) { return {amount / rate.best, amount / rate.worst}; }

}  // namespace

void Estimate::Add(const Step& step, const locks::Effects& effects) {
  for (const locks::Work& work : effects.works) {
    if (schema_.IsNew(work.relation)) continue;
    const catalog::Table* table = schema_.FindTable(work.relation);
    if (table == nullptr || !table->rows || !table->bytes) {
      known_ = false;
      return;
    }
    const auto rows = static_cast<double>(*table->rows);
    const auto bytes = static_cast<double>(*table->bytes);
    Duration more = At(bytes, kScannedBytes);
    if (step.kind == StepKind::kBackfill || step.kind == StepKind::kSplitCopy) {
      more = At(rows, kBackfilledRows);
    } else if (work.kind == locks::Work::Kind::kBuild) {
      more = At(rows, kIndexedRows);
    } else if (work.kind == locks::Work::Kind::kRewrite) {
      more = At(bytes, kWrittenBytes);
    }
    total_.low_s += more.low_s;
    total_.high_s += more.high_s;
  }
}

std::optional<Duration> Estimate::Total(const Step& step) const {
  if (!known_ || step.kind == StepKind::kGate || step.kind == StepKind::kRebuild)
    return std::nullopt;
  return Duration{kInstant.low_s + total_.low_s, kInstant.high_s + total_.high_s};
}

}  // namespace pgalter::plan
