#include <fmt/format.h>

#include "batcher/partition/attach_step.h"
#include "batcher/partition/regroup.h"
#include "batcher/rebuild/way_back.h"
#include "cli/await_state.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/hold_budget.h"
#include "cli/json_output.h"
#include "cli/opposite.h"
#include "cli/pick_run.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/undo.h"
#include "engine/run/plan_spec.h"
#include "engine/run/undo.h"
#include "engine/state/control.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  options.add_options()("hold-budget", po::value<std::string>()->value_name("DURATION"),
                        "for so long users may wait while a step is taken back");
}

// Its runner may be waiting for locks, step by step.
constexpr async::Milliseconds kLimit = std::chrono::minutes(30);

void RefuseUnfit(const state::Run& run) {
  if (!run::IsPlan(run) && run.command != "rebuild" && !run.command.starts_with("partition "))
    throw Rejected(
        ExitCode::kRefused,
        fmt::format("run {} is a {}: only runs of a plan, rebuilds and changes of partitions are "
                    "reverted",
                    run.id, run.command),
        fmt::format("pgalter abort {0}, or pgalter finish {0}", run.id));
  if (run.state == state::RunState::kAborted)
    throw Rejected(ExitCode::kRefused, fmt::format("run {} was aborted, and taken back", run.id),
                   "pgalter status " + run.id);
  if (run.finished)
    throw Rejected(ExitCode::kRefused,
                   fmt::format("run {} is finished: what it was is not kept up any more", run.id),
                   OppositeOf(run));
}

// What a revert that was begun meets is found by going on with it, which leaves the run in peace.
Task<> RefuseLostWay(guard::Session& session, state::Run run) {
  const state::Control control = co_await state::ReadControl(session, run.id);
  if (run.state != state::RunState::kDone && control.wanted == state::Wanted::kRevert) co_return;
  co_await rebuild::RefuseLostWay(session, run.id);
  co_await partition::RefuseLostTable(session, run);
  co_await partition::RefuseRegroupBack(session, run);
}

Task<> RefusePastNoReturn(guard::Session& session, const state::Run& run) {
  const auto steps = co_await state::LoadSteps(session, run.id);
  const state::Step* passed = run::PassedNoReturn(steps);
  if (passed == nullptr) co_return;
  const auto runner = co_await state::LiveRunner(session, run.id);
  if (!runner && run::MayBePastReturn(*passed)) co_return;  // who takes it back asks the server
  std::string next = OppositeOf(run);
  if (run.state != state::RunState::kDone)
    next = fmt::format("pgalter resume {}; or, when it is done, {}", run.id, next);
  throw Rejected(ExitCode::kRefused,
                 fmt::format("run {} cannot be taken back: step {} was the point of no return. "
                             "Nothing was changed",
                             run.id, passed->id),
                 next);
}

// By a session of its own: taking back may last longer than the command's was kept.
Task<ExitCode> SayReverted(const Context& context, std::string id) {
  if (context.output == Output::kJson) {
    guard::Session session = co_await OpenSession(context);
    const auto run = co_await state::FindRun(session, id);
    PrintJson(RunsJson({*run}));
  } else {
    Print(fmt::format("{} reverted: the schema is as it was before\n", id));
  }
  co_return ExitCode::kDone;
}

// Done, failed or without a runner: it is done here. One that only follows the old table
// (`resume --follow`) ends when it is asked for that.
Task<Awaited> AskAndTakeBack(const Context& context, guard::Session& session, std::string run) {
  const auto give_up = async::Clock::now() + kLimit;
  for (;;) {
    Awaited seen = co_await AskAndAwait(session, run, state::Wanted::kRevert,
                                        state::RunState::kReverted, kLimit);
    if (seen.end == AwaitEnd::kReached || seen.end == AwaitEnd::kTimedOut) co_return seen;
    seen.end = AwaitEnd::kReached;
    const bool undone =
        co_await UndoUnlessBeside(context, run, state::RunState::kReverted, give_up);
    if (undone) co_return seen;
  }
}

Task<ExitCode> Run(Context& context) {
  guard::Session session = co_await OpenForChange(context);
  const std::vector<state::Run> runs = co_await LoadRuns(session);
  const state::Run run = PickRun(runs, context.Operand(0));
  if (run.state == state::RunState::kReverted) co_return co_await SayReverted(context, run.id);
  RefuseUnfit(run);
  co_await state::RefuseTakenTables(session, run.id);
  co_await RefusePastNoReturn(session, run);
  co_await RefuseLostWay(session, run);
  Confirm(context, fmt::format("take {} of {} ({}) back?", run.command, run.target, run.id));
  co_await RaiseHoldBudget(context, session, run.id);
  const Awaited seen = co_await AskAndTakeBack(context, session, run.id);
  if (seen.end == AwaitEnd::kReached) co_return co_await SayReverted(context, run.id);
  throw Rejected(ExitCode::kError,
                 fmt::format("run {} was asked to revert and is {}; the wish stands", run.id,
                             state::Name(seen.state)),
                 "pgalter status " + run.id);
}

}  // namespace

extern const CommandBody kRevertCommand;
const CommandBody kRevertCommand{
    .description =
        "Takes a run of a plan, a rebuild, or a change of partitions back, step by step from its "
        "last: active, waiting at "
        "a "
        "gate, failed, or done and not finished. What users have written since a rebuild is "
        "carried "
        "over to the old table first. Locks are asked for as on the way there. Past the point of "
        "no "
        "return, which `run` and `status` name, it is refused (4) and nothing is changed. Killed, "
        "it goes on where it was: revert again.",
    .most_operands = 1,
    .least_operands = 1,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
