#pragma once

// What takes a statement back that runs as it is. Pure, private to planner/plan.

#include <optional>
#include <string>

#include "planner/plan/recipe.h"
#include "planner/plan/steps.h"

namespace pgalter::plan {

struct Inverse {
  Texts sql;  // empty: there is nothing to take back
  Transaction transaction = Transaction::kOwn;
  std::string stays;  // what is not taken back, and harms nobody; empty: nothing
};

// None: no statement does it, or what was there before is not known.
[[nodiscard]] std::optional<Inverse> InverseOf(const Situation& situation);

// Brings NOT NULL back that DROP NOT NULL takes off: no row is read under a lock others wait for.
[[nodiscard]] Inverse NotNullAgain(const Situation& situation, const std::string& column);

}  // namespace pgalter::plan
