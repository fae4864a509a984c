#pragma once

// What a plan relies on, as a short text: equal as long as the relations have the columns,
// constraints, indexes, triggers and partitions that the plan was made for. Pure.
//
// Comparable only between schemas read the same way: from the live catalog.

#include <string>
#include <vector>

#include "planner/catalog/schema.h"

namespace pgalter::plan {

[[nodiscard]] std::string FingerprintOf(const catalog::Schema& schema,
                                        const std::vector<sql::QualifiedName>& relations);

}  // namespace pgalter::plan
