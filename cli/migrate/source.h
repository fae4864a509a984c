// The directory of migrations that a command is about: --dir and --format, else [migrations] of
// pgalter.toml, else "migrations".
//
//   [migrations]
//   dir = "db/migrations"     # beside this file
//   format = "flyway"         # found out where it is left out
//   through = "contract"      # how far `up` goes
//   changes = "changes"       # the change records, cli/change/record.h
//   printed = ["up.sql"]      # what Alembic printed of the revisions in dir
//   history.writeback = true  # the tool whose directory it is learns what `up` and `down` do
//   history.table = "a.b"     # its table; found by its name where it is left out
#pragma once

#include <boost/program_options/options_description.hpp>
#include <string>
#include <vector>

#include "cli/context.h"
#include "engine/guard/session.h"
#include "engine/state/control.h"
#include "migrations/history/store.h"

namespace pgalter::cli {

struct MigrationSettings {
  std::string directory = "migrations";
  std::string format;
  state::Phase through = state::Phase::kMigrate;
  std::vector<std::string> printed;
  bool writeback = false;
  std::string table;
  std::string changes = "changes";  // the directory of the change records
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
// The same, without what change records say.
history::Collection ReadMigrationFiles(const MigrationSettings& settings);

// What is applied. Throws Rejected (history divergence) where that is not what the audit log leads
// to, or not what the directory says, with each difference and what to do.
Task<std::vector<history::Applied>> ReadAppliedOrRefuse(guard::Session& session,
                                                        const history::Collection& collection,
                                                        history::Order order);
// The differences, both kinds.
std::vector<history::Divergence> DivergencesOf(const history::Remembered& remembered,
                                               const history::Collection& collection,
                                               history::Order order);

// Throws Rejected (history divergence) with each difference and what to do.
void RefuseDivergence(const std::vector<history::Divergence>& divergences);

// The same for migrations that exclude each other, where `wanted` are to be applied.
void RefuseExclusions(const history::Collection& collection,
                      const std::vector<history::Applied>& applied,
                      const std::vector<const history::Migration*>& wanted);
// What a database would be refused that has none of the directory and is to have all of it.
void RefuseForEmpty(const history::Collection& collection);

// Throws Rejected (usage), naming the nearest.
const history::Migration& FindMigration(const history::Collection& collection,
                                        const std::string& version);

}  // namespace pgalter::cli
