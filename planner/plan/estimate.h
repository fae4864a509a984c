#pragma once

// How long a step may take, from the sizes of the tables it works on and assumed rates: a range of
// an order of magnitude and more, without the waiting for locks. Private to planner/plan.

#include <optional>

#include "planner/catalog/schema.h"
#include "planner/locks/effects.h"
#include "planner/plan/plan.h"

namespace pgalter::plan {

class Estimate {
 public:
  explicit Estimate(const catalog::Schema& schema) : schema_(schema) {}

  void Add(const Step& step, const locks::Effects& effects);
  // None where a size is not known, and for gates.
  [[nodiscard]] std::optional<Duration> Total(const Step& step) const;

 private:
  const catalog::Schema& schema_;
  Duration total_;
  bool known_ = true;
};

}  // namespace pgalter::plan
