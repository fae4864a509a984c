// Joined keys: foreign keys between a table of a new definition and others, which are made again in
// the swap. What the server would refuse then is found before anything is copied.
#pragma once

#include <vector>

#include "batcher/rebuild/store.h"

namespace pgalter::rebuild {

// With all new tables of a run there, whatever they lack. The server judges on empty tables with
// these columns, in the caller's transaction, which must be rolled back. Throws run::Failure.
Task<> RefuseUnfitKeys(Session& session, const std::vector<Stored>& all);

}  // namespace pgalter::rebuild
