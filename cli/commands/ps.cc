#include <cmath>

#include "cli/connect.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/pick_run.h"
#include "cli/report.h"
#include "cli/table.h"

namespace pgalter::cli {

namespace {

Task<std::string> StateText(guard::Session& session, const state::Run& run) {
  std::string text(state::Name(run.state));
  const bool moving =
      run.state == state::RunState::kRunning || run.state == state::RunState::kWaiting;
  if (!moving) co_return text;
  if (state::RestsAtGate(run)) co_return text + " (gate)";
  const auto runner = co_await state::LiveRunner(session, run.id);
  if (!runner) text += " (no runner)";
  co_return text;
}

std::vector<std::string> Row(const state::Run& run, const std::string& state) {
  const run::Progress progress = ProgressOf(run);
  return {run.id,
          run.command,
          run.target,
          state,
          run.phase,
          HumanShare(progress.fraction),
          HumanCount(run.done_rows),
          HumanCount(std::llround(progress.rows_per_s)),
          progress.eta_low_s < 0 ? "" : HumanRange(progress.eta_low_s, progress.eta_high_s),
          run.updated_at};
}

Task<ExitCode> Run(Context& context) {
  guard::Session session = co_await OpenSession(context);
  const std::vector<state::Run> runs = co_await LoadRuns(session);
  if (context.output == Output::kJson) {
    PrintJson(RunsJson(runs));
    co_return ExitCode::kDone;
  }
  if (runs.empty()) co_return ExitCode::kDone;
  Table table(
      {"RUN", "COMMAND", "TABLE", "STATE", "PHASE", "DONE", "ROWS", "ROWS/S", "ETA", "UPDATED"});
  for (const state::Run& run : runs) {
    const std::string state = co_await StateText(session, run);
    table.Add(Row(run, state));
  }
  Print(table.Text());
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kPsCommand;
const CommandBody kPsCommand{
    .description =
        "Lists the runs that this database knows of, the newest first. Reads only; "
        "prints nothing where pgalter was never used.",
    .run = &Run};

}  // namespace pgalter::cli
