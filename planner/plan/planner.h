#pragma once

// From ordinary DDL to a plan. Pure.
//
// `schema` is the database as far as it is known. A script is taken statement by statement; its
// transaction control and timeouts are left out, since every step of a plan has its own.

#include <string_view>

#include "planner/catalog/schema.h"
#include "planner/plan/plan.h"
#include "planner/plan/recipe.h"

namespace pgalter::plan {

struct PlanOptions {
  int server_version = 15;  // the major
  Knowledge knowledge = Knowledge::kNone;
  Preference prefer = Preference::kInPlace;
  Matviews matviews = Matviews::kInTheWay;
  Firing firing = {};
};

[[nodiscard]] Plan MakePlan(std::string_view script, catalog::Schema schema,
                            const PlanOptions& options);

}  // namespace pgalter::plan
