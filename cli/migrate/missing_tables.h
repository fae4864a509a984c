// A directory that does not begin at an empty database: what its migrations expect to be there.
#pragma once

#include <string>

#include "cli/context.h"
#include "engine/guard/session.h"
#include "migrations/history/collection.h"

namespace pgalter::cli {

// After a migration has failed on a throwaway server: says what it works on that is not
// there, and `next`, what makes it. Nothing where that is not why.
Task<> SayMissingTables(const Context& context, guard::Session& session,
                        const history::Migration& migration, std::string next);

}  // namespace pgalter::cli
