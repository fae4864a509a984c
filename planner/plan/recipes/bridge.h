#pragma once

// A view under a table's old name, so that programs that know the old and the new one both work.
// Shared by recipes. Private to planner/plan.

#include <string>

#include "planner/plan/recipe.h"
#include "planner/plan/steps.h"

namespace pgalter::plan {

// CREATE VIEW, and the table's rights on it. `targets`: "*".
[[nodiscard]] Texts BridgeView(const sql::QualifiedName& view, const std::string& targets,
                               const sql::QualifiedName& table, int server_version);
// What people have to know of it.
[[nodiscard]] std::vector<std::string> BridgeRemarks(int server_version);

}  // namespace pgalter::plan
