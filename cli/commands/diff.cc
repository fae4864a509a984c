#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "cli/json_output.h"
#include "cli/migrate/emit.h"
#include "cli/migrate/sides.h"
#include "cli/rejected.h"
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
      ("emit-migration", po::value<std::string>()->value_name("TITLE"),
       "write a migration that makes the first side the second, up and down")  //
      ("dir", po::value<std::string>()->value_name("DIRECTORY"),
       "with --emit-migration: where to; default: dir of [migrations], then \"migrations\"")  //
      ("drops", "with --emit-migration: drop what the first side alone has")                  //
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

void RefuseWithoutEmit(const Context& context) {
  for (const char* option : {"dir", "drops"})
    if (context.Has(option) && !context.Has("emit-migration"))
      throw Rejected(ExitCode::kUsage, fmt::format("--{} is for --emit-migration TITLE", option),
                     "pgalter help diff");
}

void SayAll(const Context& context, const char* what, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) Say(context, fmt::format("{}: {}", what, line));
}

void ShowEmitted(const Context& context, const std::string& file, const Emitted& emitted) {
  SayAll(context, "the copy lacks", emitted.copy_lacks);
  SayAll(context, "not dropped", emitted.not_dropped);
  SayAll(context, "not expressed", emitted.not_expressed);
  SayAll(context, "not as it was after the way down", emitted.not_restored);
  if (context.output == Output::kText) return Print(file + "\n");
  const auto array = [](const std::vector<std::string>& lines) {
    return boost::json::array(lines.begin(), lines.end());
  };
  PrintJson({{"version", 1},
             {"file", file},
             {"not_dropped", array(emitted.not_dropped)},
             {"not_expressed", array(emitted.not_expressed)},
             {"not_restored", array(emitted.not_restored)}});
}

Task<ExitCode> EmitMigration(const Context& context, Sides& sides, const Side& from, const Side& to,
                             history::Owners owners) {
  if (history::DifferenceOf(from.lines, to.lines).empty()) {
    Say(context, "nothing differs, and nothing was written");
    co_return ExitCode::kDone;
  }
  const Drops drops = context.Has("drops") ? Drops::kWritten : Drops::kAsComments;
  const Emitted emitted = co_await Emit(sides, from, to, owners, drops);
  ShowEmitted(context, WriteEmitted(context, emitted, from, to), emitted);
  const bool whole = emitted.not_dropped.empty() && emitted.not_expressed.empty();
  co_return whole ? ExitCode::kDone : ExitCode::kPending;
}

Task<ExitCode> Run(Context& context) {
  RefuseWithoutEmit(context);
  const auto owners = context.Has("owners") ? history::Owners::kWith : history::Owners::kWithout;
  Sides sides(context, owners);
  const Side from = co_await sides.Read(context.Get("from"));
  const Side to = co_await sides.Read(context.Get("to"));
  for (const Side* side : {&from, &to})
    for (const std::string& note : side->notes)
      Say(context, fmt::format("note: {}: {}", side->called, note));
  if (context.Has("emit-migration"))
    co_return co_await EmitMigration(context, sides, from, to, owners);
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
        "databases are only read.\n\n"
        "With --emit-migration a migration is written that makes the first side the second, with "
        "its way down. Each of its statements was tried on a copy of the first side. What is in "
        "the first side alone is dropped with --drops only, and a comment otherwise; what no "
        "statement expresses is said, in the file and here (3).",
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
