#pragma once

// From the steps of each statement to the order in which they run. Private to planner/plan.

#include <vector>

#include "planner/plan/plan.h"

namespace pgalter::plan {

// The steps of one statement, and what they touch; nothing is known of what `anything` touches.
struct StatementSteps {
  std::vector<Step> steps;
  std::vector<sql::QualifiedName> relations;
  bool anything = false;
};

// Expand, migrate, contract of statements that touch nothing in common; else one after the other.
// Gives the steps their ids, and gates names of their own.
[[nodiscard]] std::vector<Step> Arrange(std::vector<StatementSteps> statements);

}  // namespace pgalter::plan
