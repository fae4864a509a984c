#include "cli/rebuild_run.h"

#include <fmt/format.h>

#include "cli/pick_run.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/steps.h"

namespace pgalter::cli {

Task<> RefuseWithoutCutover(guard::Session& session, state::Run run) {
  bool swaps = false;
  bool swapped = true;  // all that it has to
  for (const state::Step& step : co_await state::LoadSteps(session, run.id)) {
    if (step.kind != "cutover") continue;
    swaps = true;
    swapped = swapped && step.state == state::StepState::kDone;
  }
  if (!swaps)
    throw Rejected(
        ExitCode::kRefused,
        fmt::format("run {} ({}) rebuilds no table, so it swaps none", run.id, run.command),
        "pgalter ps");
  if (swapped)
    throw Rejected(ExitCode::kRefused, fmt::format("run {} has swapped its tables already", run.id),
                   fmt::format("pgalter revert {}, to swap them back", run.id));
  if (!state::IsActive(run.state) && run.state != state::RunState::kFailed)
    throw Rejected(
        ExitCode::kRefused,
        fmt::format("run {} is {}: it swaps no tables any more", run.id, state::Name(run.state)),
        "pgalter ps");
}

Task<state::Run> LoadBeforeCutover(const Context& context, guard::Session& session) {
  state::Run run = co_await LoadRun(context, session);
  co_await RefuseWithoutCutover(session, run);
  co_return run;
}

Task<> SayIfNobodyRuns(const Context& context, guard::Session& session, std::string run) {
  const auto runner = co_await state::LiveRunner(session, run);
  if (!runner) Say(context, fmt::format("nobody works on it: pgalter resume {}", run));
}

}  // namespace pgalter::cli
