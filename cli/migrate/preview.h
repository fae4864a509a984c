// What `up` would do, before it does it.
#pragma once

#include <vector>

#include "cli/context.h"
#include "cli/migrate/rehearsal.h"
#include "engine/guard/session.h"
#include "migrations/history/compose.h"
#include "migrations/writeback/book.h"

namespace pgalter::cli {

using Migrations = std::vector<const history::Migration*>;

// The plan of each on the session's database: of the later ones as if the earlier were applied, and
// with what would be written into the book of another tool, where there is one. Throws Rejected
// (refused) for one that cannot be carried out. `rehearsed` null: nothing was.
Task<> PrintPlans(const Context& context, guard::Session& session, const Migrations& migrations,
                  history::Manner manner, const writeback::Book* book,
                  const RehearsedTimes* rehearsed);

// The statements as they would be sent, from an empty database on. No connection is made.
void PrintSql(const Context& context, const Migrations& migrations, history::Manner manner);

}  // namespace pgalter::cli
