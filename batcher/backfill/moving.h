// Moving: what has another value for every row or moment.
#pragma once

#include <string>
#include <vector>

#include "engine/guard/session.h"
#include "planner/sql/expression.h"

namespace pgalter::backfill {

using async::Task;
using guard::Session;

// The volatile functions of an expression and those that tell the time, by their names without a
// schema.
Task<std::vector<std::string>> MovingFunctions(Session& session,
                                               std::vector<sql::FunctionUse> functions);

}  // namespace pgalter::backfill
