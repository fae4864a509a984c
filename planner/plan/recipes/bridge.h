#pragma once

// A view under a table's old name, so that programs that know the old and the new one both work.
// Shared by recipes. Private to planner/plan.

#include <optional>
#include <string>

#include "planner/plan/recipe.h"
#include "planner/plan/recipes/column_guard.h"
#include "planner/plan/steps.h"

namespace pgalter::plan {

// A column that the view has under its old name as well.
struct RenamedColumn {
  std::string from;
  std::string to;
};

// What a view does not stand in for, asked before all else of the step that makes it.
[[nodiscard]] Texts BridgeRefusals(const sql::QualifiedName& table, RowsInFunctions which,
                                   int server_version);

// CREATE VIEW of the table's columns, its owner, and the table's rights on it, those on columns
// among them, as they are when it runs.
[[nodiscard]] Texts BridgeView(const sql::QualifiedName& view, const sql::QualifiedName& table,
                               const std::optional<RenamedColumn>& renamed, int server_version);
// What people have to know of it.
[[nodiscard]] std::vector<std::string> BridgeRemarks(int server_version);

}  // namespace pgalter::plan
