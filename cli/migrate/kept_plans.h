// What `up --dry-run --output json` said, kept in a file for `up --plan`: nothing else is begun.
#pragma once

#include <string>
#include <vector>

#include "cli/migrate/preview.h"
#include "cli/plan_input.h"
#include "migrations/history/compare.h"
#include "planner/plan/plan.h"

namespace pgalter::cli {

struct KeptPlan {
  std::string version;
  std::string file;
  plan::Plan plan;
};
using KeptPlans = std::vector<KeptPlan>;

// Throws Rejected (usage): it cannot be read, or is something else.
KeptPlans ReadKeptPlans(const std::string& path);

// Those of `kept` that are not applied yet have to be those of `wanted`, in the same order. Throws
// Rejected (refused).
void RefuseOthers(const KeptPlans& kept, const Migrations& wanted,
                  const std::vector<history::Applied>& applied);

// As it was planned: what was looked at says it, and no option.
[[nodiscard]] Consents ConsentsIn(const KeptPlans& kept, const history::Migration& migration);

// The steps have to be the same; how long they take may be estimated anew. Throws Rejected
// (refused).
void RefuseOtherSteps(const KeptPlans& kept, const history::Migration& migration,
                      const plan::Plan& now);

}  // namespace pgalter::cli
