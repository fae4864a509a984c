#include <fmt/format.h>

#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/persist.h"
#include "cli/pick_run.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/undo.h"
#include "engine/state/control.h"
#include "engine/state/retention.h"

namespace pgalter::cli {

namespace {

// Of a run that is not done.
Task<std::string> Next(guard::Session& session, const state::Run& run) {
  if (!state::IsActive(run.state) && run.state != state::RunState::kFailed)
    co_return "pgalter cleanup";
  const state::Control control = co_await state::ReadControl(session, run.id);
  if (control.wanted == state::Wanted::kRevert)
    co_return fmt::format("it is being taken back: pgalter revert {} --yes", run.id);
  co_return fmt::format("pgalter resume {0}, or pgalter abort {0}", run.id);
}

Task<> RefuseUnlessDone(guard::Session& session, const state::Run& run) {
  if (run.state == state::RunState::kDone) co_return;
  const std::string next = co_await Next(session, run);
  throw Rejected(
      ExitCode::kRefused,
      fmt::format("run {} is {}: only a done run is finished", run.id, state::Name(run.state)),
      next);
}

Task<ExitCode> Run(Context& context) {
  guard::Session session = co_await OpenForChange(context);
  const state::Run run = co_await LoadRun(context, session);
  co_await RefuseUnlessDone(session, run);
  if (!run.finished) {
    Confirm(context,
            fmt::format("remove what {} of {} keeps in the database?", run.command, run.target));
    auto remove = [&](guard::Session& on) -> Task<> {
      co_await DropLeftovers(context, on, run.id);
      co_await state::MarkFinished(on, run.id);
    };
    const OnSession work = remove;
    co_await Persist(context, session, work, fmt::format("pgalter finish {}", run.id));
  }
  if (context.output == Output::kJson) {
    const auto now = co_await state::FindRun(session, run.id);
    PrintJson(RunsJson({*now}));
  } else {
    Print(fmt::format("{} finished\n", run.id));
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kFinishCommand;
const CommandBody kFinishCommand{
    .description =
        "Removes what a done run keeps. Of a backfill: the trigger and the function that make new "
        "rows come out right; do it when the application writes the new values itself. Of a "
        "rebuild, and of a change of partitions by copy: the way back, which is the old table, "
        "dropped with its rows, and the triggers and the log that keep it up; `revert` is not "
        "possible afterwards. Takes a strong lock on the table, in short attempts.",
    .most_operands = 1,
    .least_operands = 1,
    .run = &Run};

}  // namespace pgalter::cli
