#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <filesystem>
#include <fstream>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/table.h"
#include "engine/backup/restore.h"
#include "engine/backup/restore_plan.h"
#include "engine/sandbox/sandbox.h"
#include "migrations/history/schema_lines.h"
#include "migrations/history/sha256.h"

namespace pgalter::cli {

namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;
using backup::DumpFormat;

void AddOptions(po::options_description& options) {
  options.add_options()  //
      ("pg-bin", po::value<std::string>()->value_name("FOLDER"),
       "the programs of the server that it is restored into; default: as for `sandbox`")  //
      ("expect-rows", po::value<std::string>()->value_name("TABLE=N"),
       "a table that must be there with at least so many rows")  //
      ("database", po::value<std::string>()->value_name("NAME"),
       "restore-plan: the database to be made; default: restored");
}

struct Counted {
  std::string database;
  std::string table;
  std::int64_t rows = 0;
};

Task<> CountIn(Context context, const sandbox::Sandbox& server, std::string database,
               std::vector<Counted>& counts, std::string& schema) {
  context.dsn = server.conninfo(database);
  guard::Session session = co_await OpenSession(context);
  for (const std::string& line : co_await history::ReadSchemaLines(session)) schema += line + "\n";
  const pg::Result tables = co_await session.db().Query(
      "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
      " WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE"
      " 'pg\\_%' ORDER BY 1");
  for (int i = 0; i < tables.rows(); ++i) {
    const auto table = tables.Get<std::string>(i, 0);
    const pg::Result rows = co_await session.db().Query("SELECT count(*) FROM ONLY " + table);
    counts.push_back({database, table, rows.Get<std::int64_t>(0, 0)});
  }
}

Task<std::vector<std::string>> Databases(Context context, const sandbox::Sandbox& server) {
  context.dsn = server.conninfo();
  guard::Session session = co_await OpenSession(context);
  const pg::Result rows = co_await session.db().Query(
      "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1");
  std::vector<std::string> names;
  for (int i = 0; i < rows.rows(); ++i) names.push_back(rows.Get<std::string>(i, 0));
  co_return names;
}

DumpFormat FormatOf(const fs::path& path) {
  if (!fs::exists(path))
    throw Rejected(ExitCode::kUsage, fmt::format("there is no file {}", path.string()), "");
  const DumpFormat format = backup::FindFormat(path);
  if (format == DumpFormat::kCompressed)
    throw Rejected(ExitCode::kUsage, fmt::format("{} is compressed", path.string()),
                   "unpack it first: as it is, nothing restores it");
  if (format == DumpFormat::kUnknown)
    throw Rejected(ExitCode::kUsage, fmt::format("{} is no dump of PostgreSQL", path.string()),
                   "pg_dump makes one: plain, custom, directory or tar; pg_dumpall a plain one");
  return format;
}

void CheckExpected(const Context& context, const std::vector<Counted>& counts,
                   std::vector<std::string>& problems) {
  if (!context.Has("expect-rows")) return;
  const std::string text = context.Get("expect-rows");
  const std::size_t at = text.rfind('=');
  char* end = nullptr;
  const long least = at == std::string::npos ? 0 : std::strtol(text.c_str() + at + 1, &end, 10);
  if (at == std::string::npos || end == text.c_str() + at + 1 || *end != '\0')
    throw Rejected(ExitCode::kUsage, fmt::format("--expect-rows \"{}\" is none", text),
                   "--expect-rows public.orders=1000");
  const std::string table = text.substr(0, at);
  for (const Counted& one : counts)
    if (one.table == table) {
      if (one.rows < least)
        problems.push_back(fmt::format("{} has {} rows, fewer than {}", table, one.rows, least));
      return;
    }
  problems.push_back(fmt::format("there is no table {} in it", table));
}

std::string HeadOf(const fs::path& path, DumpFormat format) {
  if (format != DumpFormat::kPlain) return "";
  constexpr std::size_t kHead = 65536;  // \connect stands before all rows
  std::string head(kHead, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return head;
}

ExitCode PrintRestorePlan(const Context& context) {
  const fs::path path = fs::absolute(context.Operand(1));
  const DumpFormat format = FormatOf(path);
  const auto truncated = backup::FindTruncation(path, format);
  if (!truncated.empty())
    throw Rejected(ExitCode::kMismatch,
                   fmt::format("{} cannot be restored: {}", path.string(), truncated.front()),
                   "take an older one: pgalter backup verify FILE");
  const std::string database = context.Has("database") ? context.Get("database") : "restored";
  // The programs would take it for a connection string.
  if (database.empty() || database.find_first_of("=\n") != std::string::npos ||
      database.find("://") != std::string::npos)
    throw Rejected(ExitCode::kUsage, fmt::format("--database \"{}\" is no name", database),
                   "--database restored");
  const backup::RestorePlan plan =
      backup::PlanRestore(path.string(), format, HeadOf(path, format), database);
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1},
               {"file", path.string()},
               {"format", std::string(backup::Name(format))},
               {"commands", boost::json::array(plan.commands.begin(), plan.commands.end())},
               {"notes", boost::json::array(plan.notes.begin(), plan.notes.end())}});
    return ExitCode::kDone;
  }
  std::string text = "set -e\n";  // a script for sh
  for (const std::string& note : plan.notes) text += fmt::format("# {}\n", note);
  for (const std::string& command : plan.commands) text += command + "\n";
  Print(text);
  return ExitCode::kDone;
}

Task<ExitCode> Run(Context& context) {
  if (context.Operand(0) == "restore-plan") co_return PrintRestorePlan(context);
  if (context.Operand(0) != "verify")
    throw Rejected(ExitCode::kUsage, fmt::format("backup \"{}\" is not known", context.Operand(0)),
                   "pgalter backup verify FILE, or pgalter backup restore-plan FILE");
  const fs::path path = context.Operand(1);
  const DumpFormat format = FormatOf(path);
  sandbox::Options options;
  options.fsync = false;
  if (context.Has("pg-bin")) options.pg_bin = context.Get("pg-bin");
  Say(context, fmt::format("restoring {} ({}) into a throwaway server", path.string(),
                           backup::Name(format)));
  const sandbox::Sandbox server = sandbox::Sandbox::Start(options);
  backup::Restored restored = backup::Restore(server, path, format);
  std::vector<std::string> databases{restored.database};
  if (format == DumpFormat::kCluster) databases = co_await Databases(context, server);
  std::vector<Counted> counts;
  std::string schema;
  for (std::string& name : databases)
    co_await CountIn(context, server, std::move(name), counts, schema);
  CheckExpected(context, counts, restored.problems);
  const std::string sum = history::Sha256(schema);
  boost::json::array tables;
  boost::json::array problems;
  Table table({"database", "table", "rows"});
  for (const Counted& one : counts) {
    tables.push_back({{"database", one.database}, {"table", one.table}, {"rows", one.rows}});
    table.Add({one.database, one.table, std::to_string(one.rows)});
  }
  for (const std::string& problem : restored.problems) problems.emplace_back(problem);
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1},
               {"file", path.string()},
               {"format", std::string(backup::Name(format))},
               {"server_version", server.server_version()},
               {"schema_sha256", sum},
               {"tables", tables},
               {"problems", problems}});
  } else {
    Print(table.Text());
    for (const std::string& problem : restored.problems) Print(fmt::format("{}\n", problem));
    Print(fmt::format(
        "{}, {} tables, schema {}: {}\n", backup::Name(format), counts.size(), sum,
        restored.problems.empty() ? "all of it was restored" : "not all of it was restored"));
  }
  co_return restored.problems.empty() ? ExitCode::kDone : ExitCode::kMismatch;
}

}  // namespace

extern const CommandBody kBackupCommand;
const CommandBody kBackupCommand{
    .description =
        "`verify` restores a dump into a throwaway server, with the program that its format needs "
        "(found by its contents), and counts what is in it: plain, custom, directory or tar of "
        "pg_dump, plain of pg_dumpall. Errors, a dump that was cut off and a table that is "
        "missing end with 7. Owners and grants are left out. A plain dump is run by psql: it does "
        "whatever is written in it. No database of yours is asked.\n\n"
        "`restore-plan` prints the commands that restore it, as a script for sh: with the program "
        "that its format needs, stopping at the first error, into a database of its own. Nothing "
        "is run. A dump that was cut off is refused (7).\n\n"
        "`pgalter attest --kind backup --file FILE` then writes down that it was there.",
    .most_operands = 2,
    .least_operands = 2,
    .takes_files = true,
    .words = "verify restore-plan",
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
