// Leaves: two trees of partitions with the same bounds, leaf by leaf.
//
// All rows of a leaf are in its twin, so the other partitions need not be read, planned for or
// locked for it: done for each leaf that would grow with the square of their number. Small leaves
// are compared many in one statement, a large one as a table of its own.
//
// A row that is not in its leaf's twin is looked up in the whole other tree before it counts: where
// rows do not lie as the bounds say (an order of texts that has changed since), the trees are not
// alike, whatever their bounds.
#pragma once

#include <optional>
#include <vector>

#include "batcher/verify/comparison.h"
#include "batcher/verify/leaf_pairs.h"

namespace pgalter::verify {

// nullopt: not both are partitioned, their bounds differ, or some leaf cannot be read by itself.
Task<std::optional<std::vector<LeafPair>>> ReadLeafPairs(Session& session,
                                                         const capture::Flow& flow);

// False: they are not alike, and nothing that was found counts.
Task<bool> CompareByLeaves(Comparison& comparison, std::vector<Session>& sessions,
                           std::vector<LeafPair> pairs);

}  // namespace pgalter::verify
