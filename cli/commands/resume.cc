#include <fmt/format.h>

#include "cli/await_state.h"
#include "cli/connect.h"
#include "cli/detach.h"
#include "cli/foreground.h"
#include "cli/json_output.h"
#include "cli/pick_run.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/control.h"
#include "engine/state/schema.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  options.add_options()                                                             //
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

// A failed run does not hold its table: another may have begun on it.
void RefuseTakenTable(const std::vector<state::Run>& runs, const state::Run& run) {
  if (run.state != state::RunState::kFailed) return;
  for (const state::Run& other : runs)
    if (other.relid == run.relid && state::IsActive(other.state))
      throw state::TableTaken(run.target, other.id, state::Name(other.state));
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
    RefuseTakenTable(runs, run);
    // Before the first thing that is written: it would be sent.
    co_await state::RefusePublication(session);
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
        "A run that is done is left alone (exit code 0); one that was aborted cannot go on (4). "
        "RUN can be left out when one run is active.",
    .most_operands = 1,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
