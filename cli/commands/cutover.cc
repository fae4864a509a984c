#include <fmt/format.h>

#include <optional>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/rebuild_run.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/cutover_wish.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  options.add_options()("at", po::value<std::string>()->value_name("TIME"),
                        "not before this time: 2026-03-01 02:30, UTC unless it says otherwise");
}

Task<ExitCode> Run(Context& context) {
  guard::Session session = co_await OpenForChange(context);
  const state::Run run = co_await LoadBeforeCutover(context, session);
  std::optional<std::string> at;
  if (context.Has("at")) at = context.Get("at");
  std::string from;
  std::optional<Rejected> refused;
  try {
    const bool passed = at && co_await state::HasPassed(session, *at);
    if (passed)
      throw Rejected(ExitCode::kUsage,
                     fmt::format("--at \"{}\" has passed, in UTC where it says nothing else. "
                                 "Nothing was changed",
                                 *at),
                     fmt::format("to swap at once: pgalter cutover {}", run.id));
    from = co_await state::LetCutOver(session, run.id, at);
  } catch (const pg::PgError& error) {
    if (error.klass() != pg::SqlstateClass::kData) throw;
    refused.emplace(ExitCode::kUsage, fmt::format("--at \"{}\" is no time: {}", *at, error.what()),
                    "as 2026-03-01T02:30Z");
  }
  if (refused) throw *refused;
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"run", run.id}, {"cutover", "now"}, {"not_before", from}});
  } else {
    Print(fmt::format("{} swaps its tables once they are the same, not before {}\n", run.id, from));
  }
  co_await SayIfNobodyRuns(context, session, run.id);
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kCutoverCommand;
const CommandBody kCutoverCommand{
    .description =
        "Lets a rebuild that waits (`rebuild --cutover wait`, `postpone`) swap its tables: at "
        "once, "
        "or from a time on, which status shows, and which must not have passed (2). The wish is "
        "kept with the run, whoever runs it then. RUN can be left "
        "out when one run is active.",
    .most_operands = 1,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
