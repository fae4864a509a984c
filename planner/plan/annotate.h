#pragma once

// What steps lock, rewrite, read, and how long it may take: worked out from their SQL by
// planner/locks and the sizes of the tables. Private to planner/plan.

#include "planner/catalog/schema.h"
#include "planner/plan/plan.h"
#include "planner/plan/recipe.h"

namespace pgalter::plan {

// Follows the steps in their order from `schema` on. Remarks go to the statements: what is not
// known, and work that lasts under a lock others wait for (then kAsIs becomes kLeastBad).
void Annotate(Plan& plan, catalog::Schema schema, const Firing& firing = {});

}  // namespace pgalter::plan
