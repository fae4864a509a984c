#pragma once

// What an approval is given to: a hash over everything of a plan that is carried out, and nothing
// that is only estimated. Pure.

#include <string>

#include "planner/plan/plan.h"

namespace pgalter::history {

// 64 hexadecimal digits.
[[nodiscard]] std::string PlanSum(const plan::Plan& plan);

}  // namespace pgalter::history
