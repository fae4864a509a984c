// Runner: carries a run from where its state says it is to its end.
//
// Whatever happened before (a first start, kill -9, a server crash, a failover, a lost connection)
// it is the same way in: connect, take the lease's next epoch, end orphans, read the state, go on.
#pragma once

#include <functional>
#include <string>

#include "engine/run/failure.h"
#include "engine/run/progress.h"
#include "engine/run/step_handler.h"
#include "engine/run/take_over.h"

namespace pgalter::run {

struct RunnerOptions {
  pg::ConnectOptions connect;
  std::string run;
  Handlers handlers;
  Claim claim = Claim::kFromTheDead;  // until it has the lease; from then on, only its own
  Outside* outside = nullptr;         // outlives the run; null: there is none
  async::Milliseconds reconnect_budget{std::chrono::minutes(5)};
};

struct Outcome {
  state::RunState state = state::RunState::kDone;
  ExitCode code = ExitCode::kDone;
  std::string message;
};

// Returns when the run is done, paused, aborted, reverted, or waits at a gate. Throws Failure and
// PgError otherwise; the run is then recorded as failed, except where the connection is gone: there
// it stays as it is. What TakeOver throws changes nothing: the run is somebody else's.
Task<Outcome> Execute(RunnerOptions options, async::Stopper& stopper, Progress& progress);

// Works beside a run that has ended, as its runner: with its lease and a beat, for as long as
// `body` takes, which is called anew on other connections when those are lost. Throws what Execute
// throws, guard::LeaseLost among it when somebody else took the run over.
using Body = std::function<Task<>(Environment&)>;
Task<> Accompany(RunnerOptions options, Body body, async::Stopper& stopper, Progress& progress);

// Undoes the steps of a run that has no runner, in reverse, and records it as `to`: aborted or
// reverted. Throws Failure (refused), with nothing changed, past the point of no return. Where it
// throws and nothing was taken back, the run is what it was, and nobody wants it back any more.
Task<> UndoRun(RunnerOptions options, state::RunState to, async::Stopper& stopper,
               Progress& progress);

}  // namespace pgalter::run
