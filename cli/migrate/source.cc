#include "cli/migrate/source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "cli/change/record.h"
#include "cli/config.h"
#include "cli/config_file.h"
#include "cli/nearest.h"
#include "cli/rejected.h"
#include "migrations/convert/alembic.h"
#include "migrations/formats/folder.h"
#include "migrations/formats/reader.h"
#include "migrations/history/exclusion.h"
#include "migrations/history/manifest.h"
#include "migrations/history/replay.h"

namespace pgalter::cli {

namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

[[noreturn]] void Refuse(const std::string& what, const std::string& hint) {
  throw Rejected(ExitCode::kUsage, what, hint);
}

state::Phase ThroughOf(const std::string& where, const std::string& text) {
  const auto through = state::ParsePhase(text);
  if (!through)
    Refuse(fmt::format("{} \"{}\" is not known", where, text), "one of: expand, migrate, contract");
  return *through;
}

void CheckFormat(const std::string& where, const std::string& name) {
  const auto names = formats::FormatNames();
  if (name.empty() || std::ranges::find(names, name) != names.end()) return;
  Refuse(fmt::format("{} \"{}\" is not known", where, name),
         fmt::format("one of: {}", fmt::join(names, ", ")));
}

void ReadPrinted(const toml::table& table, const std::string& file, MigrationSettings& settings) {
  const auto* printed = table["printed"].as_array();
  if (printed == nullptr && !table.contains("printed")) return;
  const bool names = printed != nullptr && printed->is_homogeneous(toml::node_type::string);
  if (!names)
    Refuse(fmt::format("{}: [migrations] printed is no list of files", file),
           "printed = [\"up.sql\", \"down.sql\"]");
  for (const toml::node& name : *printed)
    settings.printed.push_back(
        (fs::path(file).parent_path() / name.value<std::string>().value_or("")).string());
}

void ReadHistory(const toml::table& table, const std::string& file, MigrationSettings& settings) {
  const auto history = table["history"];
  if (!history) return;
  const toml::table* keys = history.as_table();
  if (keys == nullptr)
    Refuse(fmt::format("{}: [migrations] history says nothing", file), "history.writeback = true");
  CheckKeys(*keys, file, "[migrations] history", {"table", "writeback"});
  const auto writeback = (*keys)["writeback"];
  if (writeback && !writeback.is_boolean())
    Refuse(fmt::format("{}: [migrations] history.writeback is neither true nor false", file),
           "history.writeback = true");
  settings.writeback = writeback.value_or(false);
  settings.table = (*keys)["table"].value_or(std::string());
}

void ReadConfig(const std::string& file, MigrationSettings& settings) {
  const toml::table config = LoadConfigFile(file);
  const toml::table* found = config["migrations"].as_table();
  if (found == nullptr) return;
  CheckKeys(*found, file, "[migrations]",
            {"changes", "dir", "format", "history", "printed", "through"});
  if (const auto dir = (*found)["dir"].value<std::string>())
    settings.directory = (fs::path(file).parent_path() / *dir).string();
  if (const auto changes = (*found)["changes"].value<std::string>())
    settings.changes = (fs::path(file).parent_path() / *changes).string();
  if (const auto format = (*found)["format"].value<std::string>()) {
    CheckFormat(fmt::format("{}: [migrations] format", file), *format);
    settings.format = *format;
  }
  if (const auto through = (*found)["through"].value<std::string>())
    settings.through = ThroughOf(fmt::format("{}: [migrations] through", file), *through);
  ReadPrinted(*found, file, settings);
  ReadHistory(*found, file, settings);
}

std::string Describe(const fs::path& directory, const history::Fault& fault) {
  const formats::OwnProblem& problem = fault.problem;
  std::string text =
      fmt::format("{}:{}: {}", (directory / fault.file).string(), problem.line, problem.what);
  if (problem.known.empty()) return text;
  const std::string near = Nearest(problem.typed, problem.known);
  constexpr std::size_t kMost = 20;  // versions may be thousands
  if (near.empty() && problem.known.size() > kMost) return text;
  return text + (near.empty() ? fmt::format("; there are: {}", fmt::join(problem.known, ", "))
                              : fmt::format("; did you mean {}?", near));
}

void RefuseFaults(const history::Collection& collection) {
  std::vector<std::string> lines = collection.problems;
  for (const history::Fault& fault : collection.faults)
    lines.push_back(Describe(collection.directory, fault));
  if (lines.empty()) return;
  Refuse(fmt::format("{}", fmt::join(lines, "\n")),
         "docs/format.md has the grammar of a migration. Nothing was changed");
}

void RefuseManifest(const history::Collection& collection) {
  const fs::path path = collection.directory / history::kManifest;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return;
  const auto found = history::CheckManifest(formats::ReadWhole(path), collection.migrations);
  if (found.empty()) return;
  std::vector<std::string> lines;
  for (const history::Mismatch& mismatch : found)
    lines.push_back(mismatch.file.empty()
                        ? fmt::format("{}: {}", path.string(), mismatch.what)
                        : fmt::format("{} {} ({})", mismatch.file, mismatch.what, path.string()));
  throw Rejected(ExitCode::kHistoryDivergence, fmt::format("{}", fmt::join(lines, "\n")),
                 "if the files are as they should be: pgalter manifest. Nothing was changed");
}

}  // namespace

void AddSourceOptions(po::options_description& options) {
  options.add_options()  //
      ("dir", po::value<std::string>()->value_name("DIRECTORY"),
       "the migrations; default: dir of [migrations] in pgalter.toml, then \"migrations\"")  //
      ("format", po::value<std::string>()->value_name("NAME"),
       "the tool whose directory it is; found out where it is left out");
}

MigrationSettings SettleMigrations(const Context& context) {
  MigrationSettings settings;
  const bool named = context.Has("config");
  const std::string file = named ? context.Get("config") : std::string(kDefaultConfig);
  std::error_code ignored;
  settings.changes = (fs::path(file).parent_path() / "changes").string();
  if (named || fs::exists(file, ignored)) ReadConfig(file, settings);
  if (context.Has("dir")) settings.directory = context.Get("dir");
  if (context.Has("format")) {
    settings.format = context.Get("format");
    CheckFormat("--format", settings.format);
  }
  if (context.Has("through")) settings.through = ThroughOf("--through", context.Get("through"));
  return settings;
}

history::Collection ReadMigrationFiles(const MigrationSettings& settings) {
  std::error_code ignored;
  if (!fs::is_directory(settings.directory, ignored))
    Refuse(fmt::format("there is no directory {}", settings.directory),
           "name it with --dir, or as dir of [migrations] in pgalter.toml; pgalter new makes it");
  history::Collection collection =
      settings.printed.empty() ? history::ReadCollection(settings.directory, settings.format)
                               : convert::ReadAlembic(settings.directory, {settings.printed.begin(),
                                                                           settings.printed.end()});
  RefuseFaults(collection);
  return collection;
}

history::Collection ReadMigrationsAsTheyAre(const MigrationSettings& settings) {
  history::Collection collection = ReadMigrationFiles(settings);
  BindChanges(collection, settings.changes);
  return collection;
}

history::Collection ReadMigrations(const MigrationSettings& settings) {
  history::Collection collection = ReadMigrationsAsTheyAre(settings);
  if (!collection.foreign.empty())
    throw Rejected(
        ExitCode::kRefused,
        fmt::format("{}: {}", collection.directory.string(), fmt::join(collection.foreign, "\n")),
        "nothing was changed");
  RefuseManifest(collection);
  return collection;
}

std::vector<history::Divergence> DivergencesOf(const history::Remembered& remembered,
                                               const history::Collection& collection,
                                               history::Order order) {
  auto found = history::CompareWithLog(remembered.events, remembered.applied);
  auto others = history::Compare(collection.migrations, remembered.applied, order);
  std::ranges::move(others, std::back_inserter(found));
  return found;
}

Task<std::vector<history::Applied>> ReadAppliedOrRefuse(guard::Session& session,
                                                        const history::Collection& collection,
                                                        history::Order order) {
  history::Remembered remembered = co_await history::ReadRemembered(session);
  RefuseDivergence(DivergencesOf(remembered, collection, order));
  co_return std::move(remembered.applied);
}

void RefuseDivergence(const std::vector<history::Divergence>& divergences) {
  if (divergences.empty()) return;
  std::vector<std::string> lines;
  for (const history::Divergence& divergence : divergences)
    lines.push_back(fmt::format("{}\n  {}", divergence.what, divergence.next));
  throw Rejected(ExitCode::kHistoryDivergence,
                 fmt::format("the directory and the database do not agree, and nothing was "
                             "changed:\n{}",
                             fmt::join(lines, "\n")),
                 "");
}

void RefuseExclusions(const history::Collection& collection,
                      const std::vector<history::Applied>& applied,
                      const std::vector<const history::Migration*>& wanted) {
  RefuseDivergence(history::CompareExclusions(collection.migrations, applied, wanted));
}

void RefuseForEmpty(const history::Collection& collection) {
  RefuseDivergence(history::Compare(collection.migrations, {}, history::Order::kAny));
  std::vector<const history::Migration*> all;
  for (const history::Migration& migration : collection.migrations) all.push_back(&migration);
  RefuseExclusions(collection, {}, all);
}

const history::Migration& FindMigration(const history::Collection& collection,
                                        const std::string& version) {
  const auto& all = collection.migrations;
  const auto found = std::ranges::find(all, version, &history::Migration::version);
  if (found != all.end()) return *found;
  std::vector<std::string> known;
  for (const history::Migration& migration : all) known.push_back(migration.version);
  const std::string near = Nearest(version, known);
  Refuse(fmt::format("there is no migration {} in {}", version, collection.directory.string()),
         near.empty() ? "pgalter status --migrations lists them"
                      : fmt::format("did you mean {}?", near));
}

}  // namespace pgalter::cli
