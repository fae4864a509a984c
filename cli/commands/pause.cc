#include <fmt/format.h>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/pick_run.h"
#include "cli/report.h"
#include "cli/wishes.h"

namespace pgalter::cli {

namespace {

Task<ExitCode> SayPaused(const Context& context, guard::Session& session, std::string id) {
  if (context.output == Output::kJson) {
    const auto run = co_await state::FindRun(session, id);
    PrintJson(RunsJson({*run}));
  } else {
    Print(fmt::format("{} paused\n", id));
    Say(context, "go on with: pgalter resume " + id);
  }
  co_return ExitCode::kDone;
}

Task<ExitCode> Run(Context& context) {
  guard::Session session = co_await OpenForChange(context);
  const state::Run run = co_await LoadRun(context, session);
  co_await PauseRun(session, run);
  co_return co_await SayPaused(context, session, run.id);
}

}  // namespace

extern const CommandBody kPauseCommand;
const CommandBody kPauseCommand{
    .description =
        "Pauses a run, from any machine that reaches the database, and waits until it rests. What "
        "is in flight is committed; nothing is lost. Its runner ends with exit code 6. RUN can be "
        "left out when one run is active.",
    .most_operands = 1,
    .run = &Run};

}  // namespace pgalter::cli
