#pragma once

// Steps that make a table anew beside itself, for the recipes whose statement needs it. Pure,
// private to planner/plan/recipes.

#include <string>

#include "planner/plan/steps.h"

namespace pgalter::plan {

// Why no copy can take the table's place; empty: nothing that is known here is in the way.
[[nodiscard]] std::string WhyNotRebuilt(const Situation& situation,
                                        const sql::QualifiedName& table);

// `alter`: what stands behind ALTER TABLE and the name; empty: the same definition.
[[nodiscard]] Step MakeRebuild(const Situation& situation, const sql::QualifiedName& table,
                               std::string alter);

}  // namespace pgalter::plan
