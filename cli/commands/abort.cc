#include <fmt/format.h>

#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/opposite.h"
#include "cli/pick_run.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/wishes.h"
#include "engine/run/plan_spec.h"
#include "engine/state/steps.h"

namespace pgalter::cli {

namespace {

// What a done run has made stays; one that keeps its way back is reverted.
std::string Next(const state::Run& run) {
  if (run.state != state::RunState::kDone) return "pgalter ps";
  if (run.finished) return OppositeOf(run);
  if (run.command == "backfill") return "pgalter finish " + run.id;
  return fmt::format("to take it back: pgalter revert {0}; to keep it: pgalter finish {0}", run.id);
}

void RefuseEnded(const state::Run& run) {
  if (state::IsActive(run.state) || run.state == state::RunState::kFailed) return;
  throw Rejected(ExitCode::kRefused,
                 fmt::format("run {} is {}{}: there is nothing to abort", run.id,
                             state::Name(run.state), run.finished ? " and finished" : ""),
                 Next(run));
}

// What was begun is taken back by then, but for the values.
Task<std::string> Stays(guard::Session& session, const state::Run& run) {
  if (run.command == "rebuild") co_return fmt::format(": {} is as users have left it", run.target);
  if (run.command != "backfill" && !run::IsPlan(run)) co_return "";
  for (const state::Step& step : co_await state::LoadSteps(session, run.id))
    if (step.kind == "backfill" && step.state != state::StepState::kPending)
      co_return ", values that a backfill has set stay";
  co_return "";
}

// By a session of its own: taking back may last longer than the command's was kept.
Task<ExitCode> SayAborted(const Context& context, state::Run run) {
  guard::Session session = co_await OpenSession(context);
  if (context.output == Output::kJson) {
    const auto now = co_await state::FindRun(session, run.id);
    PrintJson(RunsJson({*now}));
  } else {
    const std::string stays = co_await Stays(session, run);
    Print(fmt::format("{} aborted; what it made is gone{}\n", run.id, stays));
  }
  co_return ExitCode::kDone;
}

Task<ExitCode> Run(Context& context) {
  guard::Session session = co_await OpenForChange(context);
  const state::Run run = co_await LoadRun(context, session);
  if (run.state == state::RunState::kAborted) co_return co_await SayAborted(context, run);
  RefuseEnded(run);
  Confirm(context, fmt::format("abort {} of {} ({}) for good?", run.command, run.target, run.id));
  co_await AbortRun(context, session, run);
  co_return co_await SayAborted(context, run);
}

}  // namespace

extern const CommandBody kAbortCommand;
const CommandBody kAbortCommand{
    .description =
        "Stops a run for good and takes back what it made: triggers and functions; of a rebuild or "
        "a change of partitions the new tables, with their copy and the log, while the table stays "
        "as users have left it, or becomes so again; of a plan its steps. Rows that a backfill has "
        "changed already keep their new values. A run that is done cannot be aborted: `revert` "
        "takes it back.",
    .most_operands = 1,
    .least_operands = 1,
    .run = &Run};

}  // namespace pgalter::cli
