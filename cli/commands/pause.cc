#include <fmt/format.h>

#include "cli/await_state.h"
#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/pick_run.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/control.h"

namespace pgalter::cli {

namespace {

constexpr async::Milliseconds kLimit{30'000};

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

[[noreturn]] void RejectEnded(const std::string& run, state::RunState state) {
  throw Rejected(ExitCode::kRefused,
                 fmt::format("run {} is {}: there is nothing to pause", run, state::Name(state)),
                 "pgalter status " + run);
}

Task<ExitCode> Run(Context& context) {
  guard::Session session = co_await OpenForChange(context);
  const state::Run run = co_await LoadRun(context, session);
  if (!state::IsActive(run.state)) RejectEnded(run.id, run.state);
  // Asked first: a runner that comes up meanwhile reads it.
  co_await state::Ask(session, run.id, state::Wanted::kPause);
  Awaited seen = co_await AwaitState(session, run.id, state::RunState::kPaused, kLimit);
  if (seen.end == AwaitEnd::kNoRunner) {
    // Its runner died without a word: the state is set in its place.
    const bool changed =
        co_await state::ChangeState(session, run.id, seen.state, state::RunState::kPaused);
    if (!changed)
      seen = co_await AwaitState(session, run.id, state::RunState::kPaused, kLimit);
    else
      seen.end = AwaitEnd::kReached;
  }
  if (seen.end == AwaitEnd::kReached) co_return co_await SayPaused(context, session, run.id);
  if (seen.end == AwaitEnd::kEndedOtherwise) RejectEnded(run.id, seen.state);
  throw Rejected(ExitCode::kError,
                 fmt::format("run {} was asked to pause and has not done so within {} s; the wish "
                             "stands",
                             run.id, kLimit.count() / 1000),
                 "pgalter status " + run.id);
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
