// Readers: views, materialized or not, that have to be made anew over the tables that are rebuilt,
// tried over the new ones while these are empty.
#pragma once

#include <string>
#include <vector>

#include "batcher/dependants/obstacles.h"
#include "batcher/rebuild/store.h"

namespace pgalter::rebuild {

// What is to be said of them. In a transaction in which all new tables are there, with their
// indexes stripped; leaves nothing there. `tables`: their names, for a refusal. Throws run::Failure
// (refused), with the way out, for the first that could not be made, or not without losing what
// hangs on it.
//
// Lock: ACCESS SHARE on what they read. Blocks: nobody.
Task<std::vector<std::string>> TryReaders(Session& session, std::vector<Stored> made,
                                          std::string tables, dependants::Matviews matviews);

}  // namespace pgalter::rebuild
