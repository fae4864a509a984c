#include <fmt/format.h>

#include "cli/context.h"
#include "cli/json_output.h"
#include "cli/report.h"

namespace pgalter::cli {

namespace {

Task<ExitCode> Run(Context& context) {
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"pgalter", PGALTER_VERSION}});
  } else {
    Print(fmt::format("pgalter {}\n", PGALTER_VERSION));
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kVersionCommand;
const CommandBody kVersionCommand{.description = "Prints the version of this program.",
                                  .run = &Run};

}  // namespace pgalter::cli
