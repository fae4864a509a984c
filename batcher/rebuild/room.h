// Room: whether the server has what a rebuild takes, before one begins.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batcher/rebuild/spec.h"
#include "batcher/rebuild/store.h"

namespace pgalter::rebuild {

// The swap locks all tables, old and new, with all partitions and indexes in one transaction, from
// a pool that is everybody's. Throws run::Failure where it would take more than half of it. In the
// transaction in which the shadow is there.
Task<> RefuseTooManyLocks(Session& session, const std::vector<Stored>& all, std::string tables);

// The same by what the definition says, before the server is asked to make it: to make hundreds of
// partitions takes it as many seconds as to tell that they are too many.
struct ToBe {
  pg::Oid source = 0;
  std::int64_t relations = 0;  // the new tables, with partitions and indexes
};
Task<> RefuseTooManyLocks(Session& session, const std::vector<ToBe>& all, std::string tables);

// Throws run::Failure (refused) where a budget of bytes is less than tables of this size need: the
// new ones, and the WAL of writing them.
void RefuseTooSmallBudget(const Spec& spec, const std::string& tables, std::int64_t bytes);

}  // namespace pgalter::rebuild
