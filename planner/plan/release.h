#pragma once

// What lets go of the tables that rebuilt ones were before. Pure.

#include <vector>

#include "planner/plan/plan.h"

namespace pgalter::plan {

// The gate in front, and the step; both without an id, and of the first statement.
[[nodiscard]] std::vector<Step> ReleaseTables(const std::vector<sql::QualifiedName>& tables);

}  // namespace pgalter::plan
