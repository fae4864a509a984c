#pragma once

// How long a step may take, from the sizes of the tables it works on and assumed rates: a range of
// an order of magnitude and more, without the waiting for locks.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "planner/catalog/schema.h"
#include "planner/locks/effects.h"
#include "planner/plan/plan.h"

namespace pgalter::plan {

// Of a rebuild of the table, and of filling a column of it in place. None: its size is not known.
[[nodiscard]] std::optional<Duration> RebuildTime(const catalog::Table& table);
[[nodiscard]] std::optional<Duration> BackfillTime(const catalog::Table& table);

// The same of a table of that size, and of so many indexes that are built on it beside one scan.
[[nodiscard]] Duration RebuildTime(double rows, double bytes);
[[nodiscard]] Duration IndexesAndScanTime(double rows, double bytes, std::size_t indexes);

[[nodiscard]] std::string SecondsInWords(double seconds);     // "40 s", "3 h"
[[nodiscard]] std::string InWords(const Duration& duration);  // "2 s to 40 s"
[[nodiscard]] std::string BytesInWords(std::int64_t bytes);   // "2.3 GiB"

class Estimate {
 public:
  explicit Estimate(const catalog::Schema& schema) : schema_(schema) {}

  void Add(const Step& step, const locks::Effects& effects);
  // None where a size is not known, and for gates.
  [[nodiscard]] std::optional<Duration> Total(const Step& step) const;

 private:
  const catalog::Schema& schema_;
  Duration total_;
  std::vector<sql::QualifiedName> rebuilt_;  // counted once, whatever is done to it
  bool known_ = true;
};

}  // namespace pgalter::plan
