// Several: bounds of tables that are parted by several columns, or by expressions. What such a
// bound holds, and which others it meets, is the server's to say: it is tried on an empty copy of
// the table, temporary and rolled back.
#pragma once

#include <vector>

#include "batcher/partition/bound_wish.h"

namespace pgalter::partition {

// Of a range or a list. Throws run::Failure: (usage) as many values as columns are not given, one
// is none of its type, the range is empty; (refused) another partition has some of it, or keys are
// compared by another collation than their column's; (unsupported) a missing right.
Task<Bound> SettleByTrial(Session& session, const Whole& whole, const std::vector<Member>& members,
                          BoundWish wish);

}  // namespace pgalter::partition
