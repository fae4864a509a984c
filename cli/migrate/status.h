// The migrations of a directory beside what the database has: for `status`.
#pragma once

#include <string>

#include "cli/context.h"
#include "migrations/history/compare.h"

namespace pgalter::cli {

void AddStatusOptions(boost::program_options::options_description& options);

// --migrations, --pending or --expect: not the status of a run.
bool IsAboutMigrations(const Context& context);

// "applied", "waiting at app-deployed", "applying, failed".
std::string StateOf(const history::Applied& row);

// Reads only. 3: something is pending, or the last one is not the expected; 8: they do not agree.
Task<ExitCode> MigrationStatus(const Context& context);

}  // namespace pgalter::cli
