#pragma once

// Rebuilds that follow one another become one, in which their tables change places in the same
// moment: of one table, and of tables that foreign keys join. Private to planner/plan.

#include <vector>

#include "planner/catalog/schema.h"
#include "planner/plan/arrange.h"
#include "planner/plan/plan.h"

namespace pgalter::plan {

// `steps[i]` are those of `statements[i]`; `schema`: before all of them.
void JoinRebuilds(const catalog::Schema& schema, std::vector<StatementSteps>& steps,
                  std::vector<Statement>& statements);

}  // namespace pgalter::plan
