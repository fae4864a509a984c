#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cli/await_state.h"
#include "cli/connect.h"
#include "cli/detach.h"
#include "cli/foreground.h"
#include "cli/json_output.h"
#include "cli/pick_run.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/run/plan_spec.h"
#include "engine/state/control.h"
#include "engine/state/schema.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  options.add_options()                                                            //
      ("gate", po::value<std::string>(), "open this gate, and go on to the next")  //
      ("through", po::value<std::string>(),
       "expand | migrate | contract: how far a plan may go from now on")            //
      ("take-over", "end the runner that works on it now, and go on in its place")  //
      ("detach", "leave a background runner, and return");
}

void RefuseEnded(const state::Run& run) {
  if (state::IsActive(run.state) || run.state == state::RunState::kFailed) return;
  throw Rejected(ExitCode::kRefused,
                 fmt::format("run {} is {}: it cannot go on", run.id, state::Name(run.state)),
                 "start anew with: pgalter " + run.command);
}

[[noreturn]] void RefuseBeside(const state::Runner& runner, const state::Run& run) {
  throw Rejected(
      ExitCode::kRefused,
      fmt::format("process {} on {} works on run {} (backend {}, last heard of {:.0f} s ago); one "
                  "runner a run",
                  runner.process, runner.host, run.id, runner.backend_pid,
                  runner.seconds_since_beat),
      fmt::format("pgalter watch {0}; or, to put it in its place: pgalter resume {0} --take-over",
                  run.id));
}

void RefuseReverting(const state::Run& run, const state::Control& control) {
  if (control.wanted != state::Wanted::kRevert) return;
  throw Rejected(ExitCode::kRefused,
                 fmt::format("run {} is being taken back, which has not come to its end", run.id),
                 fmt::format("pgalter revert {} --yes", run.id));
}

// Checked before anything is written.
struct Further {
  std::optional<state::Phase> through;
  std::string gate;
};

Task<Further> WantedFurther(const Context& context, guard::Session& session, state::Run run) {
  Further further;
  if (!context.Has("through") && !context.Has("gate")) co_return further;
  if (!run::IsPlan(run))
    throw Rejected(ExitCode::kUsage, fmt::format("run {} has no phases and no gates", run.id),
                   "pgalter resume " + run.id);
  if (context.Has("through")) {
    further.through = state::ParsePhase(context.Get("through"));
    if (!further.through)
      throw Rejected(ExitCode::kUsage,
                     fmt::format("--through \"{}\" is not known", context.Get("through")),
                     "one of: expand, migrate, contract");
  }
  if (!context.Has("gate")) co_return further;
  further.gate = context.Get("gate");
  std::vector<std::string> gates;
  const auto steps = co_await state::LoadSteps(session, run.id);
  for (const state::Step& step : steps)
    if (const auto gate = run::PlannedStep(step).gate) gates.push_back(gate->name);
  if (std::find(gates.begin(), gates.end(), further.gate) == gates.end())
    throw Rejected(
        ExitCode::kUsage, fmt::format("run {} has no gate {}", run.id, further.gate),
        gates.empty() ? "it has none" : fmt::format("it has: {}", fmt::join(gates, ", ")));
  co_return further;
}

Task<> AskFurther(guard::Session& session, std::string run, Further further) {
  if (further.through) co_await state::GoThrough(session, run, *further.through);
  if (further.gate.empty()) co_return;
  co_await state::PassGate(session, run, further.gate);
}

ExitCode SayDone(const Context& context, const state::Run& run) {
  if (context.output == Output::kJson) {
    PrintJson(RunsJson({run}));
  } else {
    Print(fmt::format("{} is done already\n", run.id));
  }
  return ExitCode::kDone;
}

Task<ExitCode> Run(Context& context) {
  std::string id;
  {
    guard::Session session = co_await OpenForChange(context);
    const std::vector<state::Run> runs = co_await LoadRuns(session);
    const state::Run run = PickRun(runs, context.Operand(0));
    if (run.state == state::RunState::kDone) co_return SayDone(context, run);
    RefuseEnded(run);
    if (!context.Has("take-over")) {
      const auto runner = co_await FindLivingRunner(session, run.id);
      if (runner) RefuseBeside(*runner, run);
    }
    co_await state::RefuseTakenTables(session, run.id);
    // Before the first thing that is written: it would be sent.
    co_await state::RefusePublication(session);
    const state::Control control = co_await state::ReadControl(session, run.id);
    RefuseReverting(run, control);
    const Further further = co_await WantedFurther(context, session, run);
    co_await AskFurther(session, run.id, further);
    co_await state::Ask(session, run.id, state::Wanted::kRun);
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
        "their soak time is over.\n\n"
        "A run that is done is left alone (exit code 0); one that was aborted cannot go on (4). "
        "RUN can be left out when one run is active.",
    .most_operands = 1,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
