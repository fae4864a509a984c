#pragma once

// Whether CHECK constraints say of every row what a partition's bound asks, so that the server need
// not look. Private to planner/locks.

#include "planner/locks/draft.h"

namespace pgalter::locks {

// Every row of `table` lies within `bound` of the partitioned `parent`. kUnknown: a condition is
// there that could say so and is not understood, or the table is not known completely.
[[nodiscard]] catalog::Truth ProvesInside(const catalog::Table& table, const catalog::Table& parent,
                                          const ast::PartitionBound& bound);

// No row of the default partition lies within it.
[[nodiscard]] bool ProvesOutside(const catalog::Table& by_default, const catalog::Table& parent,
                                 const ast::PartitionBound& bound);

// Whether some value surely lies in both: no two partitions may have one. Over one column only.
[[nodiscard]] bool Overlap(const ast::PartitionBound& one, const ast::PartitionBound& other);

// Refuses a bound that another partition has a part of.
void RefuseOverlap(const QualifiedName& parent, const ast::PartitionBound& bound, Draft& draft);

// A valid CHECK that may or may not keep them out.
[[nodiscard]] bool HasOtherChecks(const catalog::Table& table);

// What adding a partition does to the default one.
void ScanDefaultPartition(const QualifiedName& parent, const ast::PartitionBound& bound,
                          Draft& draft);

}  // namespace pgalter::locks
