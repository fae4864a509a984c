// The shape of a split's source: what the new table was made after, and what would be lost, or hold
// no more, without a word if somebody changed it between the plan and the swap.
#pragma once

#include <string>

#include "batcher/split/wish.h"
#include "engine/guard/session.h"
#include "engine/run/step_handler.h"
#include "planner/plan/plan.h"

namespace pgalter::split {

// Expressions are shown so that they mean the same in any session; for good.
run::Task<> ShowPlainly(guard::Session& session);

// As JSON, what it is of -> how it is. `split` needs its tables and columns. Read before anything
// else of the source: what changes after that is found then.
run::Task<std::string> ReadShape(guard::Session& session, const plan::Split& split);

// Throws run::Failure (refused): the source is not what the run was planned on.
run::Task<> CheckShape(run::Environment& env, const plan::Split& split);

// A statement that fails with kShapeChanged then. Under the swap's lock nobody changes it any more.
std::string ShapeGuard(const plan::Split& split);
inline constexpr const char* kShapeChanged = "55000";

}  // namespace pgalter::split
