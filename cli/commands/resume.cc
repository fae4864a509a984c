#include <fmt/format.h>

#include "cli/connect.h"
#include "cli/detach.h"
#include "cli/follow_back.h"
#include "cli/foreground.h"
#include "cli/govern/open_run.h"
#include "cli/hold_budget.h"
#include "cli/json_output.h"
#include "cli/pick_run.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/wishes.h"
#include "engine/run/canary.h"
#include "engine/run/plan_spec.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  AddBreakGlass(options);
  options.add_options()                                                            //
      ("gate", po::value<std::string>(), "open this gate, and go on to the next")  //
      ("through", po::value<std::string>(),
       "expand | migrate | contract: how far a plan may go from now on")  //
      ("follow",
       "of a rebuild that is done: keep its old table up, so that a revert takes no time")  //
      ("take-over", "end the runner that works on it now, and go on in its place")          //
      ("hold-budget", po::value<std::string>()->value_name("DURATION"),
       "from now on users may wait for so long while a step holds its lock")  //
      ("detach", "leave a background runner, and return");
}

// Checked before anything is written.
Task<Further> WantedFurther(const Context& context, guard::Session& session, state::Run run) {
  Further further;
  if (!context.Has("through") && !context.Has("gate")) co_return further;
  const bool gates = run::IsPlan(run) || run::CanaryOf(run) > 0;
  if (!gates || (!run::IsPlan(run) && context.Has("through")))
    throw Rejected(ExitCode::kUsage,
                   fmt::format("run {} has no phases{}", run.id, gates ? "" : " and no gates"),
                   "pgalter resume " + run.id + (gates ? " --gate canary" : ""));
  if (context.Has("through")) {
    further.through = state::ParsePhase(context.Get("through"));
    if (!further.through)
      throw Rejected(ExitCode::kUsage,
                     fmt::format("--through \"{}\" is not known", context.Get("through")),
                     "one of: expand, migrate, contract");
  }
  if (!context.Has("gate")) co_return further;
  further.gate = context.Get("gate");
  co_await CheckGate(session, run, further.gate);
  co_return further;
}

ExitCode SayDone(const Context& context, const state::Run& run) {
  if (context.output == Output::kJson) {
    PrintJson(RunsJson({run}));
  } else {
    Print(fmt::format("{} is done already\n", run.id));
  }
  return ExitCode::kDone;
}

Task<ExitCode> FollowPicked(const Context& context) {
  for (const char* other : {"gate", "through", "take-over", "hold-budget", "detach"})
    if (context.Has(other))
      throw Rejected(
          ExitCode::kUsage, fmt::format("--follow and --{} do not go together", other),
          "--follow keeps up the old table of a rebuild that is done, in the foreground");
  std::string run;
  {
    guard::Session session = co_await OpenForChange(context);
    const std::vector<state::Run> runs = co_await LoadRuns(session);
    run = PickRun(runs, context.Operand(0)).id;
  }
  co_return co_await FollowBack(context, run);
}

Task<ExitCode> Run(Context& context) {
  if (context.Has("follow")) co_return co_await FollowPicked(context);
  std::string id;
  {
    guard::Session session = co_await OpenForChange(context);
    const std::vector<state::Run> runs = co_await LoadRuns(session);
    const state::Run run = PickRun(runs, context.Operand(0));
    if (run.state == state::RunState::kDone) co_return SayDone(context, run);
    const bool take_over = context.Has("take-over");
    const auto beside = take_over ? BesideRunner::kTakesOver : BesideRunner::kRefused;
    co_await RefuseGoingOn(session, run, beside);
    const Further further = co_await WantedFurther(context, session, run);
    co_await RaiseHoldBudget(context, session, run.id);
    co_await LetGoOn(session, run.id, further, beside);
    id = run.id;
  }
  if (context.Has("detach")) co_return co_await Detach(context, id);
  co_return co_await RunInForeground(context, id);
}

}  // namespace

extern const CommandBody kResumeCommand;
const CommandBody kResumeCommand{
    .description =
        "Goes on with a run that was paused, has failed, or whose runner or server has died, from "
        "the last chunk that was committed. Stays in the foreground until it is done: the first "
        "SIGINT pauses it again, the second leaves at once.\n\n"
        "The run of a plan rests at its gates: --gate NAME opens one, --through contract all, once "
        "their soak time is over. One with --canary rests after its first part, until the gate "
        "that "
        "it names (canary; of a step of a plan canary-STEP) is opened by name.\n\n"
        "With --follow, of a rebuild that is done, the old table is kept up with the new one until "
        "this is ended: a revert then has nothing left to carry over, and the way back stays open "
        "longer than the --revert-window of the rebuild.\n\n"
        "A run that is done is left alone (exit code 0); one that was aborted cannot go on (4). "
        "RUN can be left out when one run is active.",
    .most_operands = 1,
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
