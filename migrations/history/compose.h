#pragma once

// From a migration to the plan that carries it out. Pure.
//
// Statements go through the planner. What a tool sends as one transaction stays one where no
// statement of it needs more than that; where one does, the plan's steps are each a transaction of
// their own, which `remarks` says.

#include <string>
#include <vector>

#include "migrations/history/collection.h"
#include "planner/catalog/schema.h"
#include "planner/plan/plan.h"
#include "planner/plan/planner.h"

namespace pgalter::history {

struct Composed {
  plan::Plan plan;  // without steps: there is nothing to run
  std::vector<std::string> remarks;
  std::string refusal;  // empty: it can be run
  std::string hint;
};

enum class Manner {
  kOnline,
  kWithoutGates,  // the same steps, and nobody to wait for: for a rehearsal
  // For a database that nobody uses: each statement as it stands, and no gates.
  kAsWritten,
};

[[nodiscard]] Composed ComposeUp(const Migration& migration, const catalog::Schema& schema,
                                 const plan::PlanOptions& options, Manner manner);
// Its `down`, which has to be there. Without gates: whoever takes a migration back has decided.
[[nodiscard]] Composed ComposeDown(const Migration& migration, const catalog::Schema& schema,
                                   const plan::PlanOptions& options);

// What a session that has run these statements leaves of the schema.
[[nodiscard]] catalog::Schema After(const std::string& statements, catalog::Schema schema);

}  // namespace pgalter::history
