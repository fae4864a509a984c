#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "cli/connect.h"
#include "cli/dump_schema.h"
#include "cli/lint/write_file.h"
#include "cli/migrate/sides.h"
#include "cli/report.h"
#include "engine/catalog/read_schema.h"
#include "engine/state/schemas_of_runs.h"
#include "planner/catalog/diagram.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  options.add_options()  //
      ("from", po::value<std::string>()->default_value("db")->value_name("SIDE"),
       "db, env:NAME, a connection string, a file of SQL, or a directory of migrations")  //
      ("format", po::value<std::string>()->value_name("NAME"),
       "the tool whose directory it is; found out where it is left out")  //
      ("pg-bin", po::value<std::string>()->value_name("FOLDER"),
       "the throwaway server's programs")  //
      ("out", po::value<std::string>()->value_name("FILE"),
       "written whole or not at all; default: stdout")  //
      ("pg-dump", po::value<std::string>()->default_value("pg_dump")->value_name("PROGRAM"),
       "pg_dump, of the server's version or later");
}

// Without what is another each time, or with each program: so that two dumps of one schema are the
// same text.
std::string Normalised(const std::string& text) {
  std::string normalised;
  std::size_t blanks = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line(text.data() + at, end - at);
    at = end + 1;
    const bool varies = line.starts_with("-- Dumped ") || line.starts_with("\\restrict ") ||
                        line.starts_with("\\unrestrict ");
    if (varies) continue;
    blanks = line.empty() ? blanks + 1 : 0;
    if (blanks > 1 || (line.empty() && normalised.empty())) continue;
    normalised += line;
    normalised += '\n';
  }
  return normalised;
}

// Of extensions, and our own: what pg_dump leaves out as well.
Task<std::set<std::string>> ReadNotDrawn(guard::Session& session) {
  const auto of_runs = co_await state::SchemasOfRuns(session);
  const pg::Result rows = co_await session.db().Query(
      "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
      "WHERE n.nspname = 'pgalter' OR n.nspname = ANY ($1::text[]) OR "
      "EXISTS (SELECT FROM pg_depend d WHERE d.classid = "
      "'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')",
      of_runs);
  std::set<std::string> names;
  for (int i = 0; i < rows.rows(); ++i)
    names.insert(fmt::format("{}.{}", rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1)));
  co_return names;
}

Task<std::string> Draw(const Context& where) {
  guard::Session session = co_await OpenSession(where);
  const std::set<std::string> not_drawn = co_await ReadNotDrawn(session);
  const catalog::Schema schema = co_await live::ReadSchema(session);
  co_return catalog::Diagram(schema, not_drawn);
}

Task<ExitCode> Run(Context& context) {
  Sides sides(context, history::Owners::kWithout);  // has the server that `from` may need
  Context from = context;
  if (context.Get("from") != "db") {
    const Side side = co_await sides.Read(context.Get("from"));
    for (const std::string& note : side.notes)
      Say(context, fmt::format("note: {}: {}", side.called, note));
    from = side.where;
  }
  std::string text;
  if (context.Get("output") == "mermaid") {
    text = co_await Draw(from);
  } else {
    text = Normalised(co_await DumpSchema(from, context.Get("pg-dump")));
  }
  if (context.Has("out")) {
    WriteFile(context.Get("out"), text);
  } else {
    Print(text);
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kDumpCommand;
const CommandBody kDumpCommand{
    .description =
        "Prints the schema of the database as SQL, as pg_dump writes it, without pgalter's own "
        "and without what differs from one call to the next: to be kept in version control "
        "beside the migrations, and compared with `pgalter diff --to FILE`. Reads only.\n\n"
        "With --output mermaid it is a drawing, which many viewers of Markdown show: tables with "
        "their columns and keys, and how foreign keys join them; |o of a row that may refer to "
        "none, o| of a key that lets one row refer at most. Partitions are drawn as their "
        "whole.\n\n"
        "--from FILE and --from DIRECTORY are run on a throwaway server first.",
    .outputs = "text mermaid",
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
