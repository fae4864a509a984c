// The directory of migrations that a command is about: --dir and --format, else [migrations] of
// pgalter.toml, else "migrations".
//
//   [migrations]
//   dir = "db/migrations"     # beside this file
//   format = "flyway"         # found out where it is left out
//   through = "contract"      # how far `up` goes
#pragma once

#include <boost/program_options/options_description.hpp>
#include <string>
#include <vector>

#include "cli/context.h"
#include "engine/state/control.h"
#include "migrations/history/compare.h"

namespace pgalter::cli {

struct MigrationSettings {
  std::string directory = "migrations";
  std::string format;
  state::Phase through = state::Phase::kMigrate;
};

void AddSourceOptions(boost::program_options::options_description& options);

// Throws Rejected (usage).
MigrationSettings SettleMigrations(const Context& context);

// Throws Rejected: there is no such directory, or what is in it cannot be read (usage), or
// run by its tool alone (refused); its
// manifest, where it has one, says something else (history divergence).
history::Collection ReadMigrations(const MigrationSettings& settings);
// The same, whatever the manifest says.
history::Collection ReadMigrationsAsTheyAre(const MigrationSettings& settings);

// Throws Rejected (history divergence) with each difference and what to do.
void RefuseDivergence(const std::vector<history::Divergence>& divergences);

// Throws Rejected (usage), naming the nearest.
const history::Migration& FindMigration(const history::Collection& collection,
                                        const std::string& version);

}  // namespace pgalter::cli
