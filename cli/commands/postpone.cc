#include <fmt/format.h>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/rebuild_run.h"
#include "cli/report.h"
#include "engine/state/cutover_wish.h"

namespace pgalter::cli {

namespace {

Task<ExitCode> Run(Context& context) {
  guard::Session session = co_await OpenForChange(context);
  const state::Run run = co_await LoadBeforeCutover(context, session);
  co_await state::PostponeCutOver(session, run.id);
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"run", run.id}, {"cutover", "wait"}});
  } else {
    Print(fmt::format("{} goes on, and does not swap its tables before: pgalter cutover {}\n",
                      run.id, run.id));
  }
  co_await SayIfNobodyRuns(context, session, run.id);
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kPostponeCommand;
const CommandBody kPostponeCommand{
    .description =
        "Keeps a rebuild from swapping its tables until `cutover`. It goes on meanwhile: the new "
        "table is filled and kept up to date. RUN can be left out when one run is active.",
    .most_operands = 1,
    .run = &Run};

}  // namespace pgalter::cli
