#pragma once

// Steps that make a table anew beside itself, for the recipes whose statement needs it. Pure,
// private to planner/plan/recipes.

#include <string>
#include <vector>

#include "planner/plan/steps.h"

namespace pgalter::plan {

// Why no copy can take the table's place; empty: nothing that is known here is in the way.
[[nodiscard]] std::string WhyNotRebuilt(const Situation& situation,
                                        const sql::QualifiedName& table);

// `alter`: what stands behind ALTER TABLE and the name; empty: the same definition.
[[nodiscard]] Step MakeRebuild(const Situation& situation, const sql::QualifiedName& table,
                               std::string alter);

// Materialized views that read it, and those that read these.
[[nodiscard]] std::vector<sql::QualifiedName> MatviewsOver(const catalog::Schema& schema,
                                                           const sql::QualifiedName& table);
// What is to be said of them where they are made anew, as one more sentence; empty: there are none.
[[nodiscard]] std::string OfMatviews(const catalog::Schema& schema,
                                     const std::vector<sql::QualifiedName>& tables);

}  // namespace pgalter::plan
