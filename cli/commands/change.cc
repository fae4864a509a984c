#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "cli/change/record.h"
#include "cli/json_output.h"
#include "cli/migrate/new_file.h"
#include "cli/migrate/source.h"
#include "cli/policy_config.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/table.h"

namespace pgalter::cli {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  AddSourceOptions(options);
  options.add_options()("title", po::value<std::string>()->value_name("TEXT"),
                        "new: what it is, in a few words");
}

struct Known {
  fs::path directory;
  std::vector<ChangeRecord> records;
  history::Collection collection;  // empty where there is no directory of migrations
};

Known ReadAll(const MigrationSettings& settings) {
  Known known;
  known.directory = settings.changes;
  known.records = ReadChanges(settings.changes);
  std::error_code ignored;
  if (fs::is_directory(settings.directory, ignored))
    known.collection = ReadMigrationFiles(settings);
  return known;
}

std::vector<std::string> BoundTo(const Known& known, const std::string& id) {
  std::vector<std::string> files;
  for (const history::Migration& migration : known.collection.migrations)
    if (ChangeIdOf(migration, known.directory) == id) files.push_back(migration.file);
  return files;
}

json::object ToJson(const Known& known, const ChangeRecord& record) {
  json::object fields;
  for (const auto& [key, value] : record.fields) fields[key] = value;
  json::array files;
  for (const std::string& file : BoundTo(known, record.id)) files.emplace_back(file);
  return {{"id", record.id},
          {"file", record.file.string()},
          {"fields", std::move(fields)},
          {"migrations", std::move(files)}};
}

ExitCode New(const Context& context, const MigrationSettings& settings) {
  const std::string id = context.Operand(1);
  CheckChangeId(id);
  if (!context.Has("title") || context.Get("title").empty())
    throw Rejected(ExitCode::kUsage, "a change has a title",
                   fmt::format("pgalter change new {} --title \"full names\"", id));
  std::error_code error;
  fs::create_directories(settings.changes, error);
  if (error)
    throw Rejected(ExitCode::kError,
                   fmt::format("cannot make {}: {}", settings.changes, error.message()), "");
  const fs::path file = fs::path(settings.changes) / (id + ".toml");
  WriteNewFile(file, NewChangeText(context.Get("title")));
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"change", id}, {"file", file.string()}});
  } else {
    Print(file.string() + "\n");
  }
  return ExitCode::kDone;
}

ExitCode Show(const Context& context, const MigrationSettings& settings) {
  const std::string id = context.Operand(1);
  CheckChangeId(id);
  const auto record = ReadChange(settings.changes, id);
  if (!record)
    throw Rejected(ExitCode::kUsage,
                   fmt::format("there is no change {} in {}", id, settings.changes),
                   "pgalter change list");
  const Known known = ReadAll(settings);
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"change", ToJson(known, *record)}});
    return ExitCode::kDone;
  }
  std::string text = id + "\n";
  for (const auto& [key, value] : record->fields) text += fmt::format("{:<12} {}\n", key, value);
  const auto files = BoundTo(known, id);
  text += fmt::format("{:<12} {}\n", "migrations",
                      files.empty() ? "none" : fmt::format("{}", fmt::join(files, ", ")));
  Print(text);
  return ExitCode::kDone;
}

ExitCode List(const Context& context, const MigrationSettings& settings) {
  const Known known = ReadAll(settings);
  json::array all;
  Table table({"change", "title", "risk", "migrations"});
  for (const ChangeRecord& record : known.records) {
    all.push_back(ToJson(known, record));
    table.Add({record.id, record.Field("title"), record.Field("risk"),
               fmt::format("{}", fmt::join(BoundTo(known, record.id), ", "))});
  }
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"changes", all}});
  } else if (known.records.empty()) {
    Print(fmt::format("there is no change in {}\n", settings.changes));
  } else {
    Print(table.Text());
  }
  return ExitCode::kDone;
}

// The keys that the environment's policy asks for in headers, as far as they are a record's.
std::vector<std::string> Wanted(const Context& context) {
  if (!context.Has("env")) return {};
  const std::string path = context.Has("config") ? context.Get("config") : "";
  return HeadersOfPolicy(path, context.Get("env"));
}

// What is missing, one sentence each.
std::vector<std::string> Lacking(const Known& known, const std::vector<std::string>& wanted) {
  std::vector<std::string> lacking;
  const bool all = std::ranges::find(wanted, "change") != wanted.end();
  for (const history::Migration& migration : known.collection.migrations) {
    const std::string id = ChangeIdOf(migration, known.directory);
    if (id.empty() && all) lacking.push_back(fmt::format("{} names no change", migration.file));
    const auto same = [&](const ChangeRecord& record) { return record.id == id; };
    if (!id.empty() && std::ranges::none_of(known.records, same))
      lacking.push_back(fmt::format("{} names the change {}, which is not in {}", migration.file,
                                    id, known.directory.string()));
  }
  for (const ChangeRecord& record : known.records)
    for (const std::string& key : wanted)
      if (key.starts_with("change.") && record.Field(key.substr(7)).empty())
        lacking.push_back(
            fmt::format("{} does not say its {}", record.file.string(), key.substr(7)));
  return lacking;
}

ExitCode Check(const Context& context, const MigrationSettings& settings) {
  const Known known = ReadAll(settings);
  const auto lacking = Lacking(known, Wanted(context));
  if (context.output == Output::kJson) {
    json::array all;
    for (const std::string& one : lacking) all.emplace_back(one);
    PrintJson({{"version", 1}, {"changes", known.records.size()}, {"lacking", all}});
  } else if (lacking.empty()) {
    Print(fmt::format("{} changes: nothing is missing\n", known.records.size()));
  } else {
    Print(fmt::format("{}\n", fmt::join(lacking, "\n")));
  }
  return lacking.empty() ? ExitCode::kDone : ExitCode::kPending;
}

Task<ExitCode> Run(Context& context) {
  const MigrationSettings settings = SettleMigrations(context);
  const std::string verb = context.Operand(0);
  const bool named = verb == "new" || verb == "show";
  if (named && context.Operand(1).empty())
    throw Rejected(ExitCode::kUsage, fmt::format("change {} needs the id of the change", verb),
                   fmt::format("pgalter change {} SHOP-123", verb));
  if (!named && !context.Operand(1).empty())
    throw Rejected(ExitCode::kUsage, fmt::format("change {} takes no id", verb), "");
  if (verb == "new") co_return New(context, settings);
  if (verb == "show") co_return Show(context, settings);
  if (verb == "list") co_return List(context, settings);
  if (verb == "check") co_return Check(context, settings);
  throw Rejected(ExitCode::kUsage, fmt::format("change {} is not known", verb),
                 "one of: new, show, list, check");
}

}  // namespace

extern const CommandBody kChangeCommand;
const CommandBody kChangeCommand{
    .description =
        "Change records: changes/ID.toml says what a change is, its risk, its impact, how it is "
        "taken back. `new` makes one, `show` and `list` print them with the migrations that name "
        "them (`change: ID` in the header, or a `ticket` of that name), `check` says what is "
        "missing, with --env also of what the policy of that environment asks for; 3 if anything. "
        "What a record says goes into the history with the migration, and into its report. No "
        "database is asked.",
    .most_operands = 2,
    .least_operands = 1,
    .reads_config = true,
    .words = "new show list check",
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
