#include "cli/commands.h"
#include "cli/context.h"
#include "cli/help_text.h"
#include "cli/nearest.h"
#include "cli/rejected.h"
#include "cli/report.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  options.add_options()("man", "print the manual page, as troff");
}

const Command& Named(const std::string& name) {
  if (const Command* found = FindCommand(name)) return *found;
  std::vector<std::string> names;
  for (const Command& command : AllCommands()) names.emplace_back(command.name);
  const std::string near = Nearest(name, names);
  throw Rejected(ExitCode::kUsage, "there is no command \"" + name + "\"",
                 near.empty() ? "pgalter help lists the commands" : "did you mean " + near + "?");
}

Task<ExitCode> Run(Context& context) {
  if (context.Has("man")) {
    Print(ManPage(PGALTER_VERSION));
  } else if (context.operands.empty()) {
    Print(OverviewText());
  } else {
    const std::string word = context.operands.size() > 1 ? context.operands[1] : std::string();
    Print(HelpText(Named(context.operands[0]), word));
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kHelpCommand;
const CommandBody kHelpCommand{
    .description =
        "Without a command: the list of commands. --help after a command is the same as "
        "its help. Behind `partition`, a verb has help of its own: pgalter help partition split.",
    .most_operands = 2,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
