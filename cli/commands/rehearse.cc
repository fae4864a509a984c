#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <optional>
#include <stdexcept>

#include "cli/connect.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/lint/write_file.h"
#include "cli/migrate/apply.h"
#include "cli/migrate/missing_tables.h"
#include "cli/migrate/rehearsal.h"
#include "cli/migrate/source.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/table.h"
#include "engine/sandbox/sandbox.h"
#include "engine/state/schema.h"
#include "engine/trace/load_dump.h"
#include "migrations/formats/folder.h"
#include "migrations/history/schema_lines.h"
#include "planner/plan/json.h"

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
      ("rows", po::value<std::int64_t>()->value_name("N"),
       "made up for each table that has none, before each migration; with --round-trip")  //
      ("schema", po::value<std::string>()->value_name("DUMP"),
       "what there is before the first one, as pg_dump --schema-only writes it; may have rows")  //
      ("out", po::value<std::string>()->value_name("FILE"),
       "with --rows: what each step took, for --rehearsed of plan and of up --dry-run")  //
      ("pg-bin", po::value<std::string>()->value_name("FOLDER"), "the server's programs");
  AddApplyOptions(options);
}

struct Rehearsed {
  const Migration* migration = nullptr;
  Milliseconds up{0};
  std::optional<Milliseconds> down;
  std::optional<Milliseconds> again;
  std::string round_trip;         // what came of it
  std::vector<plan::Step> steps;  // with --rows: each with its time
};

struct Rehearsal {
  const Context& context;
  guard::Session& session;
  const ApplySettings& settings;
  MadeUpRows* rows = nullptr;  // null: none
};

Milliseconds Since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begin);
}

std::string HintOf(const Rehearsal& rehearsal) {
  return rehearsal.rows == nullptr ? "what was said above is why"
                                   : "what was said above is why; the rows are made up, and "
                                     "without --rows there are none";
}

Task<Milliseconds> Up(const Rehearsal& rehearsal, const Migration& migration) {
  const auto begin = std::chrono::steady_clock::now();
  const ExitCode code =
      co_await ApplyMigration(rehearsal.context, rehearsal.session, migration, rehearsal.settings);
  if (code != ExitCode::kDone)
    throw Rejected(code, fmt::format("{} did not come to its end", migration.file),
                   HintOf(rehearsal));
  co_return Since(begin);
}

Task<Milliseconds> Down(const Rehearsal& rehearsal, const Migration& migration) {
  const auto row = co_await FindApplied(rehearsal.session, migration.version);
  if (!row) throw Rejected(ExitCode::kError, fmt::format("{} is not applied", migration.file), "");
  const auto begin = std::chrono::steady_clock::now();
  const ExitCode code =
      co_await TakeDown(rehearsal.context, rehearsal.session, *row, &migration, rehearsal.settings);
  if (code != ExitCode::kDone)
    throw Rejected(code, fmt::format("the way down of {} did not come to its end", migration.file),
                   HintOf(rehearsal));
  co_return Since(begin);
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

Task<> Fill(const Rehearsal& rehearsal) {
  if (rehearsal.rows != nullptr) co_await rehearsal.rows->Fill(rehearsal.session);
}

Task<> RoundTrip(const Rehearsal& rehearsal, const SchemaLines& before, Rehearsed& one) {
  const Migration& migration = *one.migration;
  one.round_trip = migration.irreversible.empty() ? "none" : "irreversible";
  if (!migration.down) co_return;
  const SchemaLines after = co_await history::ReadSchemaLines(rehearsal.session);
  one.down = co_await Down(rehearsal, migration);
  const SchemaLines back = co_await history::ReadSchemaLines(rehearsal.session);
  RefuseDifference(migration, "after its way down", before, back);
  co_await Fill(rehearsal);
  one.again = co_await Up(rehearsal, migration);
  const SchemaLines again = co_await history::ReadSchemaLines(rehearsal.session);
  RefuseDifference(migration, "after up, down and up", after, again);
  one.round_trip = "same";
}

Task<Rehearsed> Rehearse(const Rehearsal& rehearsal, const Migration& migration) {
  Rehearsed one;
  one.migration = &migration;
  one.round_trip = "not asked for";
  co_await Fill(rehearsal);
  RowCounts counts;
  if (rehearsal.rows != nullptr) counts = co_await CountRows(rehearsal.session);
  const SchemaLines before = co_await history::ReadSchemaLines(rehearsal.session);
  one.up = co_await Up(rehearsal, migration);
  if (rehearsal.rows != nullptr) {
    const auto row = co_await FindApplied(rehearsal.session, migration.version);
    if (row && !row->run.empty())
      one.steps = co_await MeasuredSteps(rehearsal.session, row->run, counts, UtcNow());
    co_await Fill(rehearsal);
  }
  if (rehearsal.rows != nullptr || rehearsal.context.Has("round-trip"))
    co_await RoundTrip(rehearsal, before, one);
  co_return one;
}

Task<Rehearsed> RehearseOrExplain(const Rehearsal& rehearsal, const Migration& migration) {
  std::exception_ptr failure;
  Rehearsed one;
  try {
    one = co_await Rehearse(rehearsal, migration);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return one;
  co_await SayMissingTables(
      rehearsal.context, rehearsal.session, migration,
      "Where none of these migrations is applied: pgalter dump --out schema.sql; then: pgalter "
      "rehearse --schema schema.sql");
  std::rethrow_exception(failure);
}

boost::json::object JsonOf(const Rehearsed& one) {
  boost::json::object json{{"version", one.migration->version},
                           {"file", one.migration->file},
                           {"up_ms", one.up.count()},
                           {"round_trip", one.round_trip}};
  if (one.down) json["down_ms"] = one.down->count();
  if (one.again) json["again_ms"] = one.again->count();
  return json;
}

// Of a rehearsal with rows: each with its steps, which have their times.
boost::json::object MeasuredJson(const std::vector<Rehearsed>& all, std::int64_t rows,
                                 const MadeUpRows& made_up, const std::string& server) {
  boost::json::array migrations;
  for (const Rehearsed& one : all) {
    plan::Plan plan;
    plan.server_version = std::atoi(server.c_str());
    plan.statements = {{.sql = one.migration->file, .recipe = {}, .remarks = {}}};
    plan.steps = one.steps;
    for (plan::Step& step : plan.steps) step.statement = 0;
    boost::json::object json = JsonOf(one);
    json["statements_sha256"] = one.migration->sums.statements;
    json["plan"] = plan::ToJson(plan);
    migrations.push_back(std::move(json));
  }
  const auto& problems = made_up.problems();
  return {{"version", 1},
          {"rehearsal",
           {{"at", UtcNow()},
            {"server", server},
            {"rows", rows},
            {"unfilled", boost::json::array(problems.begin(), problems.end())}}},
          {"migrations", std::move(migrations)}};
}

std::string InMilliseconds(const std::optional<Milliseconds>& time) {
  return time ? fmt::format("{} ms", time->count()) : "";
}

void Show(const Context& context, const std::vector<Rehearsed>& all) {
  boost::json::array migrations;
  Table table({"version", "up", "down", "up again", "round trip", "title"});
  for (const Rehearsed& one : all) {
    migrations.push_back(JsonOf(one));
    table.Add({one.migration->version, InMilliseconds(one.up), InMilliseconds(one.down),
               InMilliseconds(one.again), one.round_trip, one.migration->title});
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

// Zero: none were asked for.
std::int64_t RowsWanted(const Context& context) {
  if (!context.Has("rows")) {
    if (context.Has("out"))
      throw Rejected(ExitCode::kUsage, "--out is for --rows N: without rows nothing is measured",
                     "pgalter rehearse --rows 10000 --out rehearsed.json");
    return 0;
  }
  const auto rows = context.Get<std::int64_t>("rows");
  if (rows < 1)
    throw Rejected(ExitCode::kUsage, fmt::format("--rows {} is not above zero", rows),
                   "pgalter rehearse --rows 10000");
  return rows;
}

std::string ReadDump(const std::string& file) {
  try {
    return formats::ReadWhole(file);
  } catch (const std::runtime_error& error) {
    throw Rejected(ExitCode::kUsage,
                   fmt::format("--schema: cannot read {}: {}", file, error.what()),
                   "pgalter dump --out FILE writes one");
  }
}

Task<> LoadBefore(const Context& context) {
  if (!context.Has("schema")) co_return;
  const std::string text = ReadDump(context.Get("schema"));
  pg::Connection db = co_await pg::Connection::Connect(context.Connect());
  const trace::Loaded loaded = co_await trace::LoadDump(db, text);
  for (const std::string& failure : loaded.failures)
    Say(context, fmt::format("--schema: {}", failure));
}

Task<ExitCode> Run(Context& context) {
  const std::int64_t rows = RowsWanted(context);
  const MigrationSettings source = SettleMigrations(context);
  ApplySettings settings = SettleApply(context, state::Phase::kContract);
  settings.manner = history::Manner::kWithoutGates;
  const history::Collection collection = ReadMigrations(source);
  RefuseForEmpty(collection);
  const sandbox::Sandbox server = StartServer(context);
  context.dsn = server.conninfo();
  co_await LoadBefore(context);
  guard::Session session = co_await OpenForChange(context);
  co_await state::Install(session);
  MadeUpRows made_up(context, rows);
  const Rehearsal rehearsal{context, session, settings, rows > 0 ? &made_up : nullptr};
  std::vector<Rehearsed> all;
  for (const Migration& migration : collection.migrations) {
    Rehearsed one = co_await RehearseOrExplain(rehearsal, migration);
    all.push_back(std::move(one));
  }
  if (rows == 0) {
    Show(context, all);
    co_return ExitCode::kDone;
  }
  const boost::json::object measured =
      MeasuredJson(all, rows, made_up, session.db().ParameterStatus("server_version"));
  if (context.Has("out")) WriteFile(context.Get("out"), boost::json::serialize(measured) + "\n");
  if (context.output == Output::kJson) {
    PrintJson(measured);
  } else {
    Show(context, all);
  }
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
        "(7). No database of yours is asked.\n\n"
        "With --rows N each table that has none gets N made-up rows before each migration, as its "
        "types, keys, foreign keys and CHECKs let them in; each migration goes up, down and up "
        "again, and what every step took can be kept (--out) and is shown by `pgalter plan "
        "--rehearsed` and `pgalter up --dry-run --rehearsed`. The server is on this machine and "
        "does not wait for its disk: times of another one are others.\n\n"
        "Where the directory begins with tables that are there already, --schema names a dump of "
        "what was there before it.",
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
