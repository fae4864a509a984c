// The old table of a migration's rebuild: as long as it is kept, as the way back, nobody else
// changes the new one. The caller holds the HistoryLock.
#pragma once

#include <string>

#include "cli/context.h"
#include "cli/migrate/apply.h"
#include "engine/guard/session.h"
#include "engine/state/runs.h"
#include "migrations/history/compare.h"

namespace pgalter::cli {

// Throws Rejected (refused): a run has a table that the migration needs. Says whose run that is,
// what it waits for, and what lets go of the table.
Task<> RefuseTaken(guard::Session& session, const history::Migration& migration,
                   state::TableTaken taken, Direction direction);

// It is applied, and its run still keeps the table that was: so earlier versions of pgalter left
// it.
Task<bool> KeepsOldTable(guard::Session& session, const history::Applied& row);
// Lets go of it, or of all of them, and says so. Throws run::Failure (lock not obtained).
Task<> ReleaseOldTable(const Context& context, guard::Session& session,
                       const history::Applied& row);
Task<> ReleaseOldTables(const Context& context, guard::Session& session);

// Why its run cannot take a migration back; empty: it can.
Task<std::string> WhyNotReverted(guard::Session& session, const history::Applied& row);

}  // namespace pgalter::cli
