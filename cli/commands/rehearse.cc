#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <chrono>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/migrate/apply.h"
#include "cli/migrate/source.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/table.h"
#include "engine/sandbox/sandbox.h"
#include "engine/state/schema.h"
#include "migrations/history/schema_lines.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using history::Migration;
using history::SchemaLines;
using Milliseconds = std::chrono::milliseconds;

void AddOptions(po::options_description& options) {
  AddSourceOptions(options);
  options.add_options()  //
      ("round-trip",
       "each up, down and up again: the schema has to be the same as before, both times")  //
      ("pg-bin", po::value<std::string>()->value_name("FOLDER"), "the server's programs");
  AddApplyOptions(options);
}

struct Rehearsed {
  const Migration* migration = nullptr;
  Milliseconds up{0};
  std::string down;  // what came of it
};

struct Rehearsal {
  const Context& context;
  guard::Session& session;
  const ApplySettings& settings;
};

Task<Milliseconds> Up(const Rehearsal& rehearsal, const Migration& migration) {
  const auto begin = std::chrono::steady_clock::now();
  const ExitCode code =
      co_await ApplyMigration(rehearsal.context, rehearsal.session, migration, rehearsal.settings);
  if (code != ExitCode::kDone)
    throw Rejected(code, fmt::format("{} did not come to its end", migration.file),
                   "what was said above is why");
  co_return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begin);
}

Task<> Down(const Rehearsal& rehearsal, const Migration& migration) {
  const auto row = co_await FindApplied(rehearsal.session, migration.version);
  if (!row) throw Rejected(ExitCode::kError, fmt::format("{} is not applied", migration.file), "");
  const ExitCode code =
      co_await TakeDown(rehearsal.context, rehearsal.session, *row, &migration, rehearsal.settings);
  if (code != ExitCode::kDone)
    throw Rejected(code, fmt::format("the way down of {} did not come to its end", migration.file),
                   "what was said above is why");
}

void RefuseDifference(const Migration& migration, std::string_view when,
                      const SchemaLines& expected, const SchemaLines& is) {
  const auto difference = history::DifferenceOf(expected, is);
  if (difference.empty()) return;
  std::string text;
  for (const std::string& line : difference.gone) text += fmt::format("\n- {}", line);
  for (const std::string& line : difference.fresh) text += fmt::format("\n+ {}", line);
  throw Rejected(ExitCode::kMismatch,
                 fmt::format("{}: {} the schema is not what it was:{}", migration.file, when, text),
                 "correct its way down; what cannot be taken back says so: \"-- irreversible: "
                 "why\" in the header");
}

Task<std::string> RoundTrip(const Rehearsal& rehearsal, const Migration& migration,
                            const SchemaLines& before) {
  if (!migration.down) co_return migration.irreversible.empty() ? "none" : "irreversible";
  const SchemaLines after = co_await history::ReadSchemaLines(rehearsal.session);
  co_await Down(rehearsal, migration);
  const SchemaLines back = co_await history::ReadSchemaLines(rehearsal.session);
  RefuseDifference(migration, "after its way down", before, back);
  co_await Up(rehearsal, migration);
  const SchemaLines again = co_await history::ReadSchemaLines(rehearsal.session);
  RefuseDifference(migration, "after up, down and up", after, again);
  co_return "same";
}

void Show(const Context& context, const std::vector<Rehearsed>& all) {
  boost::json::array migrations;
  Table table({"version", "up", "round trip", "title"});
  for (const Rehearsed& one : all) {
    migrations.push_back({{"version", one.migration->version},
                          {"file", one.migration->file},
                          {"up_ms", one.up.count()},
                          {"round_trip", one.down}});
    table.Add({one.migration->version, fmt::format("{} ms", one.up.count()), one.down,
               one.migration->title});
  }
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"migrations", migrations}});
  } else {
    Print(table.Text());
  }
}

sandbox::Sandbox StartServer(const Context& context) {
  sandbox::Options options;
  options.fsync = false;
  if (context.Has("pg-bin")) options.pg_bin = context.Get("pg-bin");
  Say(context, "starting a throwaway server");
  return sandbox::Sandbox::Start(options);
}

Task<ExitCode> Run(Context& context) {
  const MigrationSettings source = SettleMigrations(context);
  ApplySettings settings = SettleApply(context, state::Phase::kContract);
  settings.manner = history::Manner::kWithoutGates;
  const history::Collection collection = ReadMigrations(source);
  RefuseForEmpty(collection);
  const sandbox::Sandbox server = StartServer(context);
  context.dsn = server.conninfo();
  guard::Session session = co_await OpenForChange(context);
  co_await state::Install(session);
  const Rehearsal rehearsal{context, session, settings};
  std::vector<Rehearsed> all;
  for (const Migration& migration : collection.migrations) {
    const SchemaLines before = co_await history::ReadSchemaLines(session);
    Rehearsed one;
    one.migration = &migration;
    one.up = co_await Up(rehearsal, migration);
    one.down = "not asked for";
    if (context.Has("round-trip")) one.down = co_await RoundTrip(rehearsal, migration, before);
    all.push_back(std::move(one));
  }
  Show(context, all);
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kRehearseCommand;
const CommandBody kRehearseCommand{
    .description =
        "Applies every migration of the directory, from the first, to an empty throwaway server, "
        "with the same steps as `up` but without waiting at gates, and asks what verifies them. "
        "With --round-trip each is taken back and applied once more, and the schema compared: "
        "relations, columns but not their order, indexes, constraints, views, triggers, rules, "
        "policies, routines, types, sequences, owners, grants and comments. What differs is shown "
        "(7). No database of yours is asked.",
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
