#include "cli/foreground.h"

#include <fmt/format.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>

#include "cli/connect.h"
#include "cli/govern/open_run.h"
#include "cli/human.h"
#include "cli/human_rows.h"
#include "cli/json_output.h"
#include "cli/lost_copy.h"
#include "cli/missing_right.h"
#include "cli/outside/machine.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/wiring.h"
#include "engine/async/task_group.h"
#include "engine/run/runner.h"
#include "engine/run/undo.h"
#include "engine/state/artefacts.h"
#include "engine/state/steps.h"

namespace pgalter::cli {

namespace {

Task<> ListenForSignals(const Context& context, std::string run, async::Stopper& stopper) {
  boost::asio::signal_set signals(co_await boost::asio::this_coro::executor, SIGINT, SIGTERM);
  signals.add(SIGHUP);
  co_await signals.async_wait(boost::asio::use_awaitable);
  Say(context, "pausing after what is in flight; once more to leave at once");
  stopper.Stop(async::StopReason::kPause, "paused by a signal");
  co_await signals.async_wait(boost::asio::use_awaitable);
  Say(context, fmt::format("left at once; go on with: pgalter resume {}", run));
  std::_Exit(static_cast<int>(ExitCode::kPausedOrAborted));
}

// Runs `outcome` to its end beside the progress and the signals, which end with it.
Task<run::Outcome> Supervise(const Context& context, run::RunnerOptions options,
                             run::Progress& progress) {
  async::Stopper stopper;
  run::Outcome outcome;
  outside::Machine machine(context, outside::LoadConfig(context), options.run);
  std::exception_ptr failure;
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  group.Spawn(ShowProgress(context, options.run, progress));
  group.Spawn(ListenForSignals(context, options.run, stopper));
  try {
    co_await machine.Prepare(stopper);
    options.outside = &machine;
    machine.Follow(group, stopper, progress);
    outcome = co_await run::Execute(options, stopper, progress);
  } catch (...) {
    failure = std::current_exception();
  }
  group.Cancel();
  try {
    co_await group.Join();
  } catch (...) {
    if (!failure && !async::IsCancellation(std::current_exception()))
      failure = std::current_exception();
  }
  std::string event = failure ? "failed" : std::string(state::Name(outcome.state));
  std::string note = failure ? Judge(failure).text : outcome.message;
  co_await machine.End(std::move(event), std::move(note), progress);
  if (failure) std::rethrow_exception(failure);
  co_return outcome;
}

// A run that is done may keep things on purpose: then somebody has to end it. It is done, so not
// being able to look is no failure.
Task<bool> KeepsSomething(const Context& context, std::string run) {
  try {
    guard::Session session = co_await OpenSession(context);
    const auto kept = co_await state::LiveArtefacts(session, run);
    co_return !kept.empty();
  } catch (const pg::PgError& error) {
    Log(error.what());
  }
  co_return false;
}

void SayDone(const Context& context, const std::string& run, const run::Progress& progress,
             bool keeps) {
  if (progress.steps > 0) {
    Say(context, fmt::format("run {} is done: {} step{}", run, progress.steps,
                             progress.steps == 1 ? "" : "s"));
    return;
  }
  if (progress.total_rows == 0) {
    Say(context, fmt::format("run {} is done", run));
  } else {
    Say(context, fmt::format("run {} is done: {}", run, HumanRows(progress.done_rows)));
  }
  if (!progress.remark.empty()) Say(context, progress.remark);
  if (progress.quarantined_rows > 0)
    Say(context, fmt::format("{} could not be changed; their keys: pgalter status {}",
                             HumanRows(progress.quarantined_rows), run));
  if (keeps)
    Say(context,
        fmt::format("what it keeps in the database is listed by: pgalter status {0}; remove "
                    "it when it is not needed any more: pgalter finish {0} --yes",
                    run));
}

// From where it rests.
Task<> SayWayBack(const Context& context, std::string run) {
  try {
    guard::Session session = co_await OpenSession(context);
    const auto steps = co_await state::LoadSteps(session, run);
    if (const state::Step* passed = run::PassedNoReturn(steps)) {
      Say(context,
          fmt::format("step {} was the point of no return: it can only go on", passed->id));
    } else {
      Say(context, fmt::format("to take all back: pgalter revert {} --yes", run));
    }
  } catch (const pg::PgError& error) {
    Log(error.what());
  }
}

Task<ExitCode> SayEnd(const Context& context, std::string run, const run::Outcome& outcome,
                      const run::Progress& progress) {
  if (context.output == Output::kJson)
    PrintJson(ProgressJson(run, state::Name(outcome.state), progress, UtcNow()));
  if (outcome.state == state::RunState::kDone) {
    const bool keeps = co_await KeepsSomething(context, run);
    SayDone(context, run, progress, keeps);
  } else if (outcome.state == state::RunState::kWaiting) {
    Say(context, fmt::format("run {} waits at {}", run, outcome.message));
    if (progress.steps > 0)
      co_await SayWayBack(context, run);
    else
      Say(context, fmt::format("or, to give it up: pgalter abort {} --yes", run));
  } else if (outcome.state == state::RunState::kPaused) {
    Say(context, fmt::format("{}; go on with: pgalter resume {}", outcome.message, run));
  } else {
    Say(context, fmt::format("run {} is {}: {}", run, state::Name(outcome.state), outcome.message));
  }
  co_return outcome.code;
}

std::string GoOn(const std::string& run, const std::string& failure) {
  if (CanOnlyBeGivenUp(run, failure)) return fmt::format("pgalter abort {} --yes", run);
  return fmt::format("pgalter status {0}; pgalter resume {0}", run);
}

// It is somebody else's, or over: there is no going on here.
bool IsNotOurs(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const run::Beside&) {
    return true;
  } catch (const run::HasEnded&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

Task<ExitCode> RunInForeground(const Context& context, std::string run) {
  const Wiring wiring = MakeWiring();
  run::RunnerOptions options;
  options.connect = context.Connect();
  options.run = run;
  options.handlers = wiring.handlers;
  if (context.Has("take-over")) options.claim = run::Claim::kFromAnybody;
  run::Progress progress;
  std::exception_ptr failure;
  try {
    co_await OpenRun(context, run);
    const run::Outcome outcome = co_await Supervise(context, options, progress);
    co_return co_await SayEnd(context, run, outcome, progress);
  } catch (...) {
    failure = std::current_exception();
  }
  failure = co_await WithGrant(context, failure);
  run::Verdict verdict = Judge(failure);
  if (IsNotOurs(failure)) co_return Report(verdict, context.output);
  const std::string go_on = GoOn(run, verdict.text);
  const bool said = verdict.hint.find("pgalter resume " + run) != std::string::npos;
  if (!said) verdict.hint = verdict.hint.empty() ? go_on : verdict.hint + "; then: " + go_on;
  co_return Report(verdict, context.output);
}

}  // namespace pgalter::cli
