// Bound order: where ranges of several columns, or of an expression, lie: the server compares their
// ends column by column, by each one's operator class and collation, with MINVALUE below and
// MAXVALUE above all values. Reads no rows.
#pragma once

#include <vector>

#include "batcher/partition/whole.h"

namespace pgalter::partition {

// Puts the members in the order of their bounds, and says of each whether keys that are certain to
// exist lie between it and the one before (Member::after_gap). False, and nothing was changed: it
// is another table, or a key's type is not known.
Task<bool> OrderBounds(Session& session, const Whole& whole, std::vector<Member>& members);

}  // namespace pgalter::partition
