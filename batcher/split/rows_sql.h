// The statements that go through the rows of a split in ranges of the key, as text. Pure.
//
// A key belongs to one range whatever happens meanwhile: a row whose key changes is brought over by
// the triggers, and where an UPDATE puts a row on the pages does not matter.
#pragma once

#include <string>

#include "planner/plan/plan.h"

namespace pgalter::split {

enum class Ends { kBoth, kLower, kUpper, kNone };  // which ends a range [lower, upper) has

// The key so many rows behind lower, as texts; no row where the table ends before. Parameters: the
// values of lower, then how many rows.
std::string BoundaryStatement(const plan::Split& split, Ends ends);

// The rows of a range into the target. Their rows in the source are locked: whoever deletes or
// changes one has done so before, and is seen, or comes after the chunk. Parameters: lower, upper.
std::string CopyStatement(const plan::Split& split, Ends ends);

// Rows (how many in all, a key, what is wrong with it), up to ten: the same in both tables is what
// is there in one snapshot. Parameters: lower, upper.
std::string CompareStatement(const plan::Split& split, Ends ends);

}  // namespace pgalter::split
