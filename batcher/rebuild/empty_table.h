// The empty table of the new definition, made by the server itself: from the old table and the
// user's actions, or from the user's statements. With its indexes and constraints first, so that
// they can be read; then without what hinders a copy.
#pragma once

#include <string>
#include <vector>

#include "batcher/rebuild/definition.h"
#include "batcher/rebuild/names.h"
#include "batcher/rebuild/spec.h"

namespace pgalter::rebuild {

// In the caller's transaction. All indexes of the table and of its partitions; they are there.
// Throws run::Failure for what the server refuses.
Task<std::vector<Index>> MakeEmpty(Session& session, const Names& names, const Spec& spec,
                                   pg::Oid source);

// A copy must not fail on rows that a constraint lets live on: constraints that are not valid on
// the source go; as they are to be added again.
Task<std::vector<std::string>> TakeInvalidChecks(Session& session, const Names& names,
                                                 pg::Oid source);
Task<> Strip(Session& session, const Names& names, const std::vector<Index>& indexes);

}  // namespace pgalter::rebuild
