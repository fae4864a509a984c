#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <filesystem>
#include <set>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/migrate/new_file.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "migrations/formats/folder.h"
#include "migrations/history/store.h"

namespace pgalter::cli {

namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;
using history::Migration;

void AddOptions(po::options_description& options) {
  AddSourceOptions(options);
  options.add_options()("dry-run", "say which names would change, and change none");
}

struct Renaming {
  std::string from;  // paths from the directory
  std::string to;
};

// By its version, or by its file where two have one version.
const Migration& Named(const history::Collection& collection, const std::string& name) {
  const auto& all = collection.migrations;
  const auto by_file = std::ranges::find(all, name, &Migration::file);
  if (by_file != all.end()) return *by_file;
  const Migration& found = FindMigration(collection, name);
  if (std::ranges::count(all, name, &Migration::version) > 1)
    throw Rejected(ExitCode::kUsage, fmt::format("two files have the version {}", name),
                   "name the file of the one that is to have another version");
  return found;
}

// Not applied here, and in front of one that is.
std::vector<const Migration*> OutOfOrder(const history::Collection& collection,
                                         const std::vector<history::Applied>& applied) {
  std::set<std::string> there;
  for (const history::Applied& row : applied) there.insert(row.version);
  std::size_t last = 0;
  const auto& all = collection.migrations;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (there.contains(all[i].version)) last = i;
  std::vector<const Migration*> late;
  for (std::size_t i = 0; i < last; ++i)
    if (!there.contains(all[i].version)) late.push_back(&all[i]);
  return late;
}

void RefuseNeeded(const history::Collection& collection, const Migration& migration) {
  for (const Migration& other : collection.migrations) {
    if (std::ranges::find(other.conflicts_with, migration.version) != other.conflicts_with.end())
      throw Rejected(ExitCode::kRefused,
                     fmt::format("{} names {} in conflicts_with, and would name what is not there. "
                                 "Nothing was changed",
                                 other.file, migration.version),
                     fmt::format("take it out of conflicts_with there, and name the other one in "
                                 "the header of {}: it means both",
                                 migration.file));
    if (std::ranges::find(other.depends_on, migration.version) != other.depends_on.end())
      throw Rejected(
          ExitCode::kRefused,
          fmt::format("{} depends on {}: it would stand in front of it. Nothing was changed",
                      other.file, migration.version),
          fmt::format("correct its depends_on first, and give it another version as well"));
  }
}

std::string WithVersion(const std::string& file, const std::string& from, const std::string& to) {
  const fs::path path(file);
  const std::string name = path.filename().string();
  return (path.parent_path() / (to + name.substr(from.size()))).generic_string();
}

// The file itself, and its way down in a file of its own, which has its version too.
std::vector<Renaming> RenamingsOf(const history::Collection& collection, const Migration& migration,
                                  const std::string& version) {
  const bool shared =
      std::ranges::count(collection.migrations, migration.version, &Migration::version) > 1;
  std::vector<Renaming> renamings;
  const formats::Folder folder(collection.directory, formats::Depth::kDeep);
  for (const std::string& file : folder.files()) {
    const bool its =
        file == migration.file || (!shared && file.ends_with(".sql") &&
                                   history::VersionOf(migration.format, file) == migration.version);
    const std::string name = fs::path(file).filename().string();
    if (its && name.starts_with(migration.version))
      renamings.push_back({file, WithVersion(file, migration.version, version)});
  }
  return renamings;
}

void Rename(const fs::path& directory, const Renaming& renaming) {
  std::error_code problem;
  if (fs::exists(directory / renaming.to, problem))
    throw Rejected(ExitCode::kError, fmt::format("{} is there already", renaming.to), "");
  fs::rename(directory / renaming.from, directory / renaming.to, problem);
  if (problem)
    throw Rejected(
        ExitCode::kError,
        fmt::format("cannot rename {} to {}: {}", renaming.from, renaming.to, problem.message()),
        "may you write to its directory?");
}

Task<std::vector<const Migration*>> Wanted(Context& context,
                                           const history::Collection& collection) {
  std::vector<const Migration*> wanted;
  if (!context.Operand(0).empty()) {
    wanted.push_back(&Named(collection, context.Operand(0)));
    co_return wanted;
  }
  guard::Session session = co_await OpenSession(context);
  const auto applied = co_await history::ReadApplied(session);
  wanted = OutOfOrder(collection, applied);
  co_return wanted;
}

void Show(const Context& context, const std::vector<Renaming>& renamings) {
  boost::json::array all;
  for (const Renaming& renaming : renamings) {
    all.push_back({{"from", renaming.from}, {"to", renaming.to}});
    if (context.output == Output::kText)
      Print(fmt::format("{} -> {}\n", renaming.from, renaming.to));
  }
  if (context.output == Output::kJson) PrintJson({{"version", 1}, {"renamed", all}});
}

Task<ExitCode> Run(Context& context) {
  const MigrationSettings settings = SettleMigrations(context);
  history::Collection collection = ReadMigrationsAsTheyAre(settings);
  RefuseForeignTool(collection);
  const auto wanted = co_await Wanted(context, collection);
  std::vector<Renaming> renamings;
  history::Collection growing = collection;  // with the versions that are given out
  for (const Migration* migration : wanted) {
    RefuseNeeded(collection, *migration);
    Migration moved = *migration;
    moved.version = NextVersionOf(growing);
    const auto its = RenamingsOf(collection, *migration, moved.version);
    renamings.insert(renamings.end(), its.begin(), its.end());
    growing.migrations.push_back(std::move(moved));
  }
  if (!context.Has("dry-run"))
    for (const Renaming& renaming : renamings) Rename(collection.directory, renaming);
  Show(context, renamings);
  if (renamings.empty()) Say(context, "every migration stands where it should");
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kRenumberCommand;
const CommandBody kRenumberCommand{
    .description =
        "Gives a migration a version behind every other one, and its way down with it: for one "
        "of two files that have the same number, named by its file, or for one that another "
        "branch has overtaken. Without VERSION: all that the database does not have and that "
        "stand in front of one it has, in their order. Only names of files are changed, in a "
        "directory of pgalter's own format or of plain SQL.",
    .most_operands = 1,
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
