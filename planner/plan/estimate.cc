#include "planner/plan/estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

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
// Copied, compared, and indexed.
constexpr Rate kRebuiltRows{5e5, 2e4};

// What only changes the catalog.
constexpr Duration kInstant{0, 0.1};

Duration At(double amount, Rate rate) { return {amount / rate.best, amount / rate.worst}; }

bool Changes(const locks::Effects& effects, const sql::QualifiedName& relation) {
  return std::ranges::any_of(effects.locks, [&](const locks::Lock& lock) {
    return lock.relation == relation && lock.mode == locks::LockMode::kRowExclusive;
  });
}

Duration Sum(const Duration& a, const Duration& b) {
  return {a.low_s + b.low_s, a.high_s + b.high_s};
}

}  // namespace

Duration RebuildTime(double rows, double bytes) {
  return Sum(At(rows, kRebuiltRows), At(bytes, kWrittenBytes));
}

Duration IndexesAndScanTime(double rows, double bytes, std::size_t indexes) {
  const Duration built = At(rows * static_cast<double>(indexes), kIndexedRows);
  return Sum(built, At(bytes, kScannedBytes));
}

std::optional<Duration> RebuildTime(const catalog::Table& table) {
  if (!table.rows || !table.bytes) return std::nullopt;
  return RebuildTime(static_cast<double>(*table.rows), static_cast<double>(*table.bytes));
}

std::optional<Duration> BackfillTime(const catalog::Table& table) {
  if (!table.rows) return std::nullopt;
  return At(static_cast<double>(*table.rows), kBackfilledRows);
}

std::string SecondsInWords(double seconds) {
  constexpr double kMinute = 60;
  constexpr double kHour = 3600;
  constexpr double kDay = 86400;
  if (seconds < 1) return "1 s";
  if (seconds < 2 * kMinute) return fmt::format("{:.0f} s", seconds);
  if (seconds < 2 * kHour) return fmt::format("{:.0f} min", seconds / kMinute);
  if (seconds < 2 * kDay) return fmt::format("{:.0f} h", seconds / kHour);
  return fmt::format("{:.0f} days", seconds / kDay);
}

std::string InWords(const Duration& duration) {
  const std::string low = SecondsInWords(duration.low_s);
  const std::string high = SecondsInWords(duration.high_s);
  return low == high ? high : fmt::format("{} to {}", low, high);
}

std::string BytesInWords(std::int64_t bytes) {
  constexpr std::array kUnits{"kB", "MB", "GB", "TB"};
  constexpr double kStep = 1024;
  auto amount = static_cast<double>(bytes) / kStep;
  std::size_t unit = 0;
  while (amount >= kStep && unit + 1 < kUnits.size()) {
    amount /= kStep;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", amount, amount < 10 ? 1 : 0, kUnits.at(unit));
}

void Estimate::Add(const Step& step, const locks::Effects& effects) {
  for (const locks::Work& work : effects.works) {
    // What the server keeps of itself is small, and a truncated table is not written.
    if (schema_.IsNew(work.relation) || work.relation.schema == "pg_catalog" ||
        work.reason == locks::Reason::kTruncate)
      continue;
    const catalog::Table* table = schema_.FindTable(work.relation);
    if (table == nullptr || !table->rows || !table->bytes) {
      known_ = false;
      return;
    }
    const auto rows = static_cast<double>(*table->rows);
    const auto bytes = static_cast<double>(*table->bytes);
    Duration more = At(bytes, kScannedBytes);
    if (step.kind == StepKind::kRebuild) {
      if (std::ranges::find(rebuilt_, table->name) != rebuilt_.end()) continue;
      rebuilt_.push_back(table->name);
      more = RebuildTime(rows, bytes);
    } else if (step.kind == StepKind::kBackfill || step.kind == StepKind::kSplitCopy) {
      more = At(rows, kBackfilledRows);
    } else if (work.kind == locks::Work::Kind::kBuild) {
      more = At(rows, kIndexedRows);
    } else if (work.kind == locks::Work::Kind::kRewrite) {
      more = At(bytes, kWrittenBytes);
    } else if (work.reason == locks::Reason::kRows && Changes(effects, work.relation)) {
      // None of its rows, or all of them.
      more.high_s += At(rows, kBackfilledRows).high_s;
    }
    total_.low_s += more.low_s;
    total_.high_s += more.high_s;
  }
}

std::optional<Duration> Estimate::Total(const Step& step) const {
  if (!known_ || step.kind == StepKind::kGate) return std::nullopt;
  return Duration{kInstant.low_s + total_.low_s, kInstant.high_s + total_.high_s};
}

}  // namespace pgalter::plan
