// history.writeback of pgalter.toml: `up`, `down` and `baseline` write what the tool of the
// directory would have written into its own table, and take over what it did itself.
#pragma once

#include <optional>

#include "cli/migrate/source.h"
#include "migrations/history/history_lock.h"
#include "migrations/writeback/book.h"
#include "migrations/writeback/reconcile.h"

namespace pgalter::cli {

// Nothing without history.writeback. Changes nothing. Throws Rejected, run::Failure.
Task<std::optional<writeback::Book>> FindSharedBook(guard::Session& session,
                                                    const MigrationSettings& settings,
                                                    const history::Collection& collection);

// What both say, and what of it differs; reads only.
Task<writeback::Reconciliation> LookAtBook(guard::Session& session, const writeback::Book& book,
                                           const history::Collection& collection,
                                           const std::vector<history::Applied>& ours);

// The tool's lock, its table if it is not there yet, and then the same in both histories. Throws
// Rejected (history divergence) where they cannot be brought together.
Task<> ShareBook(const Context& context, guard::Session& session, history::HistoryLock& lock,
                 async::Milliseconds wait, writeback::Book& book,
                 const history::Collection& collection);

// Whether the tool has applied it since; then we know that too from now on.
Task<bool> AppliedMeanwhile(const Context& context, guard::Session& session,
                            const writeback::Book& book, const history::Collection& collection,
                            const history::Migration& migration);

}  // namespace pgalter::cli
