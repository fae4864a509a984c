// Difference: where what the planner said of a statement (planner/locks) and what a server did are
// not the same. Pure. A trace shows them, and the tests of the facts expect none.
#pragma once

#include <string>
#include <vector>

#include "engine/trace/observed.h"
#include "planner/locks/effects.h"

namespace pgalter::trace {

enum class Strictness {
  kExact,
  // What harms nobody is passed over: locks below SHARE UPDATE EXCLUSIVE that nobody spoke of, and
  // tables without rows of which none was read.
  kHarm,
};

// One sentence each. `schema`: before the statement.
std::vector<std::string> Differences(const locks::Effects& said, const Observed& seen,
                                     const catalog::Schema& schema, Strictness strictness);

}  // namespace pgalter::trace
