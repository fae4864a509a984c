// Hashes: which of them a table that is parted by hash has partitions for, and what else one may
// hold. Reads only.
#pragma once

#include <string>
#include <vector>

#include "batcher/partition/bound_wish.h"

namespace pgalter::partition {

// "of modulus 4 there is no partition for remainder 2: rows that have it are refused"; empty: every
// hash has a partition, as where there is none yet, or the table is not parted by hash.
Task<std::string> MissingRemainders(Session& session, const Whole& whole);

// Throws run::Failure: (usage) no modulus and remainder, or none that the server takes beside the
// others; (refused) another partition has some of it.
Task<Bound> SettleHash(Session& session, const Whole& whole, const std::vector<Member>& members,
                       BoundWish wish);

}  // namespace pgalter::partition
