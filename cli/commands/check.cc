// Asks a server whether a change of schema would go well. Reads only, and the server enforces it.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "cli/check/intent.h"
#include "cli/check/report.h"
#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/nearest.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/catalog/read_schema.h"
#include "engine/check/checks.h"
#include "migrations/formats/folder.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using check::Severity;

void AddOptions(po::options_description& options) {
  options.add_options()  //
      ("for", po::value<std::string>()->value_name("SQL|FILE|-"),
       "what is going to be run: its tables, locks and rewrites decide what matters")  //
      ("only", po::value<std::vector<std::string>>()->composing()->value_name("CHECK"),
       "run this check alone; can be repeated")  //
      ("fail-on", po::value<std::string>()->value_name("SEVERITY")->default_value("blocker"),
       "exit with 3 from here on: blocker, warning or note. Blockers always fail");
}

Severity FailOn(const Context& context) {
  const auto& word = context.Get("fail-on");
  for (const Severity severity : {Severity::kNote, Severity::kWarning, Severity::kBlocker})
    if (word == check::Name(severity)) return severity;
  throw Rejected(ExitCode::kUsage, fmt::format("--fail-on \"{}\" is no severity", word),
                 "one of: blocker, warning, note");
}

check::CheckOptions OptionsOf(const Context& context) {
  check::CheckOptions options;
  if (!context.Has("only")) return options;
  for (const std::string& id : context.Get<std::vector<std::string>>("only")) {
    if (check::FindCheck(id) == nullptr) {
      std::vector<std::string> known;
      for (const check::Check* each : check::AllChecks()) known.emplace_back(each->id);
      const std::string near = Nearest(id, known);
      throw Rejected(
          ExitCode::kUsage, fmt::format("there is no check \"{}\"", id),
          near.empty() ? "pgalter check shows them all" : fmt::format("did you mean {}?", near));
    }
    options.only.insert(id);
  }
  return options;
}

// A statement has a blank in it; what has none is a file.
std::string StatementsOf(const std::string& given) {
  if (given == "-")
    return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  const bool is_file = std::filesystem::is_regular_file(given);
  if (!is_file && given.find_first_of(" \t\n") != std::string::npos) return given;
  try {
    return formats::ReadWhole(given);
  } catch (const std::runtime_error& error) {
    throw Rejected(ExitCode::kUsage, fmt::format("--for: cannot read {}: {}", given, error.what()),
                   "give a statement, a file, or - for the standard input");
  }
}

Task<catalog::Schema> ReadLiveSchema(const Context& context) {
  guard::Session session = co_await OpenSession(context);
  catalog::Schema schema = co_await live::ReadSchema(session);
  co_return schema;
}

Task<Intent> IntentOf(const Context& context, const pg::Connection& db, pg::Pooling pooling) {
  Intent intent;
  if (!context.Has("for")) co_return intent;
  const std::string statements = StatementsOf(context.Get("for"));
  if (pooling == pg::Pooling::kTransaction) {
    intent.remarks.emplace_back("the schema is not read through this pooler: --for tells nothing");
    co_return intent;
  }
  catalog::Schema schema = co_await ReadLiveSchema(context);
  intent = ReadIntent(statements, std::move(schema), db.server_version() / 10000);
  co_return intent;
}

Task<check::Target> TargetOf(const Context& context, pg::Connection& db, Intent& intent) {
  std::vector<check::WantedTable> wanted = intent.tables;
  for (const std::string& operand : context.operands) {
    auto name = sql::ParseQualifiedName(operand);
    if (!name)
      throw Rejected(ExitCode::kUsage,
                     fmt::format("\"{}\" is no table's name: {}", operand, name.error().message),
                     name.error().hint);
    wanted.push_back({sql::ToString(*name), {}});
  }
  check::Lookup lookup = co_await check::FindTarget(db, wanted);
  for (const std::string& missing : lookup.missing) {
    const bool from_statement =
        std::ranges::find(intent.tables, missing, &check::WantedTable::name) != intent.tables.end();
    if (!from_statement)
      throw Rejected(ExitCode::kUsage,
                     fmt::format("there is no table {} in database {}", missing, db.database()),
                     "names are as in SQL: \"Orders\" needs its quotes, app.orders its schema");
    intent.remarks.push_back(fmt::format("{} is not there", missing));
  }
  co_return std::move(lookup.target);
}

Task<ExitCode> Run(Context& context) {
  const Severity fail_on = FailOn(context);
  const check::CheckOptions options = OptionsOf(context);
  const pg::ConnectOptions where = context.Connect();
  pg::Connection db = co_await pg::Connection::Connect(where);
  const pg::Pooling pooling = co_await pg::DetectPooling(db, where);
  Intent intent = co_await IntentOf(context, db, pooling);
  CheckReport report;
  report.target = co_await TargetOf(context, db, intent);
  report.server = db.ParameterStatus("server_version");
  report.database = db.database();
  report.role = db.user();
  report.remarks = std::move(intent.remarks);
  report.entries = co_await check::RunChecks(db, report.target, pooling, options);
  if (context.output == Output::kJson) {
    PrintJson(CheckJson(report));
  } else {
    Print(CheckText(report, context.result_color));
  }
  co_return CheckExit(report, fail_on);
}

}  // namespace

extern const CommandBody kCheckCommand;
const CommandBody kCheckCommand{
    .description =
        "Looks at a server before a change of schema: its version and settings, the rights of this "
        "role, who holds what, standbys, archive, replication, extensions and leftovers; and tells "
        "of each what it means and what to do about it. Reads only: every look is a READ ONLY "
        "transaction.\n\n"
        "With tables, or with --for and what is going to be run, it looks at those tables; "
        "without, "
        "at the whole database.\n\n"
        "Exit codes: 0 no blocker, 3 something at or above --fail-on, 4 a blocker, 10 a blocker "
        "that is a missing right or the server itself.",
    .most_operands = kAnyNumber,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
