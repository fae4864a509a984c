#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "cli/json_output.h"
#include "cli/migrate/sides.h"
#include "cli/report.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using history::SchemaLines;

void AddOptions(po::options_description& options) {
  options.add_options()  //
      ("from", po::value<std::string>()->default_value("db")->value_name("SIDE"),
       "db, env:NAME, a connection string, a file of SQL, or a directory of migrations")          //
      ("to", po::value<std::string>()->default_value("db")->value_name("SIDE"), "the other one")  //
      ("owners", "compare owners and grants as well")                                             //
      ("format", po::value<std::string>()->value_name("NAME"),
       "the tool whose directory it is; found out where it is left out")  //
      ("pg-bin", po::value<std::string>()->value_name("FOLDER"), "the server's programs");
}

void Show(const Context& context, const Side& from, const Side& to,
          const history::SchemaDifference& difference) {
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1},
               {"from", from.called},
               {"to", to.called},
               {"same", difference.empty()},
               {"only_from", boost::json::array(difference.gone.begin(), difference.gone.end())},
               {"only_to", boost::json::array(difference.fresh.begin(), difference.fresh.end())}});
    return;
  }
  if (difference.empty()) return;
  std::string text = fmt::format("--- {}\n+++ {}\n", from.called, to.called);
  for (const std::string& line : difference.gone) text += fmt::format("- {}\n", line);
  for (const std::string& line : difference.fresh) text += fmt::format("+ {}\n", line);
  Print(text);
}

Task<ExitCode> Run(Context& context) {
  Sides sides(context, context.Has("owners") ? history::Owners::kWith : history::Owners::kWithout);
  const Side from = co_await sides.Read(context.Get("from"));
  const Side to = co_await sides.Read(context.Get("to"));
  for (const Side* side : {&from, &to})
    for (const std::string& note : side->notes)
      Say(context, fmt::format("note: {}: {}", side->called, note));
  const history::SchemaDifference difference = history::DifferenceOf(from.lines, to.lines);
  Show(context, from, to, difference);
  co_return difference.empty() ? ExitCode::kDone : ExitCode::kPending;
}

}  // namespace

extern const CommandBody kDiffCommand;
const CommandBody kDiffCommand{
    .description =
        "Compares two schemas, object by object: relations, columns but not their order, indexes, "
        "constraints, views, triggers, rules, policies, routines, types, sequences and comments; "
        "with --owners also owners and grants. A line is of one side only: - of the first, + of "
        "the second. 3 where they differ. Files and directories are run on a throwaway server; "
        "databases are only read.",
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
