// From a wish to a plan, which `pgalter run` carries out like any other: kept, killed, resumed,
// taken back up to its point of no return.
#pragma once

#include "batcher/split/wish.h"
#include "engine/guard/session.h"
#include "planner/catalog/schema.h"
#include "planner/plan/planner.h"

namespace pgalter::split {

using async::Task;

// Reads the database, writes nothing. `schema` is what was read of it. Throws run::Failure where
// the table cannot be split so.
Task<plan::Plan> MakeSplitPlan(guard::Session& session, const Wish& wish, catalog::Schema schema,
                               plan::PlanOptions options);

}  // namespace pgalter::split
