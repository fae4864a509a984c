// Runs a script where it can do no harm, and tells what each statement did there.
#include <fmt/format.h>

#include <algorithm>

#include "cli/json_output.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/trace/report.h"
#include "cli/trace/stage.h"
#include "engine/catalog/read_schema.h"
#include "engine/trace/fill.h"
#include "engine/trace/needed.h"
#include "engine/trace/trace_script.h"
#include "migrations/formats/reader.h"
#include "planner/lint/linter.h"
#include "planner/plan/planner.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

constexpr std::int64_t kRows = 1000;

void AddOptions(po::options_description& options) {
  options.add_options()                                                                       //
      ("sql", po::value<std::string>()->value_name("STATEMENTS"), "these instead of a file")  //
      ("schema", po::value<std::string>()->value_name("DUMP"),
       "what there is before, as pg_dump --schema-only writes it; may have rows")  //
      ("disposable",
       "run it on the database of --dsn, which nobody needs: it is changed for good")  //
      ("rows", po::value<std::int64_t>()->default_value(kRows)->value_name("N"),
       "made up for each empty table that the script touches; 0: none")  //
      ("format", po::value<std::string>()->value_name("NAME"),
       "whose migration the file is, as for pgalter lint; default: found out")  //
      ("pg-bin", po::value<std::string>()->value_name("FOLDER"),
       "of the sandbox: the folder with initdb and postgres")  //
      ("server-version", po::value<int>()->value_name("MAJOR"),
       "of the sandbox: this major version, where Debian has it");
}

struct Given {
  std::string name;
  std::string text;
  std::vector<lint::Part> parts;
  std::vector<std::string> remarks;
};

Given ReadGiven(const Context& context) {
  Given given;
  const std::string operand = context.Operand(0);
  if (context.Has("sql") == !operand.empty())
    throw Rejected(
        ExitCode::kUsage,
        operand.empty() ? "there is nothing to trace" : "--sql and a file are two scripts",
        "pgalter trace FILE, pgalter trace -, or pgalter trace --sql \"...\"");
  if (context.Has("sql")) {
    given.name = "--sql";
    given.text = context.Get("sql");
    given.parts = {{{0, given.text.size()}, lint::Sending::kOneByOne}};
    return given;
  }
  given.name = operand;
  formats::Options options;
  if (context.Has("format")) options.format = context.Get("format");
  formats::Reader reader(options);
  if (operand == "-") {
    reader.AddText(formats::ReadWhole("/dev/stdin"));
  } else {
    reader.Add(operand);
  }
  formats::Migrations migrations = reader.Take();
  if (!migrations.problems.empty())
    throw Rejected(ExitCode::kUsage, migrations.problems.front(), "name one file of migrations");
  if (migrations.files.size() != 1)
    throw Rejected(ExitCode::kUsage,
                   fmt::format("{} has {} migrations", operand, migrations.files.size()),
                   "one file is traced at a time; what comes before it goes into --schema");
  given.text = std::move(migrations.files.front().text);
  given.parts = std::move(migrations.files.front().parts);
  given.remarks = std::move(migrations.notes);
  return given;
}

std::vector<lint::Finding> Judge(const Given& given, const catalog::Schema& schema,
                                 int server_version) {
  lint::File file;
  file.name = given.name;
  file.text = given.text;
  file.parts = given.parts;
  lint::Options options;
  options.server_version = server_version;
  return lint::Lint({std::move(file)}, options, schema).findings;
}

Task<catalog::Schema> ReadSchema(const Stage& stage) {
  guard::SessionOptions options;
  options.connect = stage.Connect();
  guard::Session session = co_await guard::Session::Open(std::move(options));
  catalog::Schema schema = co_await live::ReadSchema(session);
  co_return schema;
}

trace::Script ScriptOf(const Given& given) {
  trace::Script script;
  script.text = given.text;
  for (const lint::Part& part : given.parts)
    script.parts.push_back({part.span, part.sending != lint::Sending::kOneByOne});
  return script;
}

// Scans of parallel workers are not counted as the session's own.
constexpr const char* kPlainSession =
    "SET max_parallel_maintenance_workers = 0; SET max_parallel_workers_per_gather = 0";

Task<> Trace(const Context& context, const Stage& stage, const Given& given, TraceReport& report) {
  const pg::ConnectOptions where = stage.Connect();
  const catalog::Schema schema = co_await ReadSchema(stage);
  pg::Connection script = co_await pg::Connection::Connect(where);
  pg::Connection blocker = co_await pg::Connection::Connect(where);
  pg::Connection observer = co_await pg::Connection::Connect(where);
  const int major = script.server_version() / 10000;
  report.server = script.ParameterStatus("server_version");
  report.findings = Judge(given, schema, major);
  report.planned = plan::MakePlan(given.text, schema, {major, plan::Knowledge::kLive}).statements;
  if (const auto rows = context.Get<std::int64_t>("rows"); rows > 0) {
    const auto tables = trace::TablesTouched(given.text, schema, major);
    report.filled = co_await trace::FillTables(observer, tables, rows);
  }
  co_await script.Execute(kPlainSession);
  const trace::Watchers watchers{blocker, observer};
  const trace::TraceSessions sessions{script, watchers};
  report.statements = co_await trace::TraceScript(sessions, ScriptOf(given), schema);
}

Task<ExitCode> Run(Context& context) {
  Given given = ReadGiven(context);
  Stage stage = Stage::Set(context);
  if (context.Has("schema")) co_await stage.Load(context.Get("schema"));
  TraceReport report;
  report.file = given.name;
  report.text = given.text;
  report.remarks = stage.remarks();
  report.remarks.insert(report.remarks.end(), given.remarks.begin(), given.remarks.end());
  co_await Trace(context, stage, given, report);
  if (context.output == Output::kJson) {
    PrintJson(TraceJson(report));
  } else {
    Print(TraceText(report, context.result_color));
  }
  co_return TraceExit(report);
}

}  // namespace

extern const CommandBody kTraceCommand;
const CommandBody kTraceCommand{
    .description =
        "Runs a script on a throwaway server and tells of each statement which locks it took, "
        "which tables it wrote anew or read whole, how long it took and why it failed; next to "
        "what lint and plan say of it, and with every difference from what pgalter predicts.\n\n"
        "Give the schema that the script needs as --schema; the tables that it touches get rows "
        "that their types, keys and checks let in. BEGIN and COMMIT in the script are kept, and a "
        "migration tool's own transaction; a statement outside of them gets one of its own, or "
        "none where it must not have one. The first failure ends it.\n\n"
        "With --disposable it runs on the database of --dsn instead, which is changed for good.\n\n"
        "Exit codes: 0 as predicted, 1 a statement failed, 3 something was not as predicted, 4 a "
        "database was named without --disposable.",
    .most_operands = 1,
    .takes_files = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
