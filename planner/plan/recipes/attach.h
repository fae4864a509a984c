#pragma once

// Attaching a partition without reading a row under a lock: shared by recipes. Private to
// planner/plan.

#include "planner/plan/recipe.h"

namespace pgalter::plan {

// Of an ALTER TABLE … ATTACH PARTITION on a known table. The last step attaches.
[[nodiscard]] Proposal AttachPartition(const Situation& situation,
                                       const sql::ast::TableCommand& command);

}  // namespace pgalter::plan
