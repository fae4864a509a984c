#pragma once

// A plan as JSON, both ways; docs/schemas/plan.json describes it. Pure.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "planner/plan/plan.h"
#include "planner/sql/result.h"

namespace pgalter::plan {

inline constexpr int kPlanVersion = 1;

[[nodiscard]] boost::json::object ToJson(const Plan& plan);
// For the state of a run as well: one step alone.
[[nodiscard]] boost::json::object ToJson(const Step& step);

// The error says which member is missing or wrong.
[[nodiscard]] sql::Result<Plan> FromJson(const boost::json::value& json);
[[nodiscard]] sql::Result<Step> StepFromJson(const boost::json::value& json);

}  // namespace pgalter::plan
