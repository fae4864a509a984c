#include "engine/run/runner.h"

#include <fmt/format.h>

#include <boost/range/adaptor/reversed.hpp>
#include <optional>
#include <utility>

#include "engine/async/fail_point.h"
#include "engine/async/task_group.h"
#include "engine/guard/transaction.h"
#include "engine/pg/reconnect_policy.h"
#include "engine/run/attachment.h"
#include "engine/state/schema.h"

namespace pgalter::run {

namespace {

// The coroutines of one attachment share it by reference: it lives in Execute's frame.
struct Work {
  Attachment& attachment;
  const Handlers& handlers;
  async::Stopper& stopper;
  Progress& progress;
};

StepHandler& HandlerOf(const Handlers& handlers, const state::Step& step) {
  const auto found = handlers.find(step.kind);
  if (found != handlers.end()) return *found->second;
  throw Failure(ExitCode::kUnsupported,
                fmt::format("this pgalter does not know steps of kind \"{}\": a newer one started "
                            "the run; go on with that",
                            step.kind));
}

Environment MakeEnvironment(const Work& work) {
  Attachment& with = work.attachment;
  return Environment{with.sessions, with.main, with.observer, work.stopper,
                     with.lease,    with.run,  work.progress, with.control};
}

Task<> Record(const Work& work, int ordinal, state::StepState to) {
  Attachment& with = work.attachment;
  auto record = [&]() -> Task<> {
    co_await guard::CheckLease(with.main, with.lease);
    co_await state::RecordStep(with.main, with.lease, ordinal, to);
  };
  co_await guard::RunInTransaction(with.main, record);
}

Task<> RecordRun(const Work& work, state::RunState to, std::string failure) {
  Attachment& with = work.attachment;
  std::string phase = work.progress.phase;
  co_await state::RecordState(with.main, with.lease, to, std::move(phase), std::move(failure));
}

// The right to write it down may be what went missing; then the run stays as it was.
Task<> RecordEnd(const Work& work, state::RunState to, std::string failure) {
  std::optional<pg::PgError> refused;
  try {
    co_await RecordRun(work, to, std::move(failure));
  } catch (const pg::PgError& error) {
    if (error.klass() != pg::SqlstateClass::kNoRight) throw;
    refused = error;
  }
  if (refused) co_await state::ThrowWithGrant(work.attachment.main, *refused);
}

Task<> Walk(Work work) {
  co_await RecordRun(work, state::RunState::kRunning, "");
  Environment env = MakeEnvironment(work);
  for (const state::Step& step : work.attachment.steps) {
    work.stopper.ThrowIfStopping();
    if (step.state == state::StepState::kDone) continue;
    StepHandler& handler = HandlerOf(work.handlers, step);
    work.progress.phase = step.id;
    co_await Record(work, step.ordinal, state::StepState::kRunning);
    async::FailPoint("step-started");
    const bool done = co_await handler.Done(env, step);
    if (!done) co_await handler.Do(env, step);
    async::FailPoint("step-done-unrecorded");
    co_await Record(work, step.ordinal, state::StepState::kDone);
    async::FailPoint("step-recorded");
  }
}

// Ends the group when the walk has ended, whatever the pulse is doing.
Task<> WalkThenEnd(Work work, async::TaskGroup& group, std::exception_ptr& failure) {
  try {
    co_await Walk(work);
  } catch (...) {
    failure = std::current_exception();
  }
  group.Cancel();
}

Task<> UndoSteps(const Work& work) {
  Environment env = MakeEnvironment(work);
  for (const state::Step& step : boost::adaptors::reverse(work.attachment.steps)) {
    co_await HandlerOf(work.handlers, step).Undo(env, step);
    co_await Record(work, step.ordinal, state::StepState::kUndone);
  }
}

Task<Outcome> Settle(const Work& work, const std::exception_ptr& failure) {
  Outcome outcome;
  if (!failure) {
    work.progress.phase = "done";
    co_await BeatOnce(work.attachment, work.progress, state::Sampling::kYes);
    co_await RecordRun(work, state::RunState::kDone, "");
    co_return outcome;
  }
  const Verdict verdict = Judge(failure);
  outcome.code = verdict.code;
  outcome.message = verdict.text;
  std::optional<async::StopReason> stopped;
  if (verdict.code == ExitCode::kPausedOrAborted) stopped = work.stopper.reason();
  if (stopped == async::StopReason::kPause) {
    outcome.state = state::RunState::kPaused;
  } else if (stopped == async::StopReason::kAbort) {
    co_await UndoSteps(work);
    outcome.state = state::RunState::kAborted;
  } else {
    outcome.state = state::RunState::kFailed;
  }
  std::string failure_text;
  if (!stopped) failure_text = outcome.message;
  co_await RecordEnd(work, outcome.state, std::move(failure_text));
  if (!stopped) std::rethrow_exception(failure);
  co_return outcome;
}

// Until a step knows better, the run is where the runner before this one left it.
void TakeUp(Progress& progress, const state::Run& run) {
  progress.phase = run.phase;
  progress.done_rows = run.done_rows;
  progress.total_rows = run.total_rows;
  if (const auto* fraction = run.progress.if_contains("fraction"))
    progress.fraction = fraction->to_number<double>();
}

Task<Outcome> WorkOn(Attachment attachment, const Handlers& handlers, async::Stopper& stopper,
                     Progress& progress) {
  const Work work{attachment, handlers, stopper, progress};
  TakeUp(progress, attachment.run);
  std::exception_ptr failure;
  auto both = [&](async::TaskGroup& group) -> Task<> {
    group.Spawn(KeepPulse(attachment, stopper, progress));
    group.Spawn(WalkThenEnd(work, group, failure));
    co_return;
  };
  std::exception_ptr pulse_failure;
  try {
    co_await async::WithTaskGroup(both);
  } catch (...) {
    pulse_failure = std::current_exception();
  }
  // Whichever ended first cancelled the other: a cancellation is never the reason.
  if (pulse_failure && !async::IsCancellation(pulse_failure) &&
      (!failure || async::IsCancellation(failure)))
    failure = pulse_failure;
  if (failure && IsConnectionLoss(failure)) std::rethrow_exception(failure);
  co_return co_await Settle(work, failure);
}

[[noreturn]] void ThrowGivenUp(const std::exception_ptr& lost, async::Milliseconds budget) {
  pg::PgErrorFields fields;
  try {
    std::rethrow_exception(lost);
  } catch (const pg::PgError& error) {
    fields = error.fields();
  }
  fields.message = fmt::format(
      "the connection was lost, and {:.0f} s of trying made no new one that works; what was "
      "committed stays. The last attempt: {}",
      std::chrono::duration<double>(budget).count(), fields.message);
  fields.hint = "see to it that the server can be reached";
  throw pg::ConnectError(std::move(fields));
}

}  // namespace

Task<Outcome> Execute(RunnerOptions options, async::Stopper& stopper, Progress& progress) {
  // A server without room for all sessions lets some in, for a moment: that is no success yet.
  constexpr async::Milliseconds kHolds{10'000};
  const auto budget = async::LimitOf("reconnect-budget", options.reconnect_budget);
  pg::ReconnectPolicy reconnect(budget);
  const std::string owner = state::NewRunId();
  auto takeover = guard::Takeover::kFromAnybody;
  for (;;) {
    std::exception_ptr lost;
    std::optional<async::Clock::time_point> attached;
    try {
      Attachment attachment = co_await Attach(options, owner, takeover);
      takeover = guard::Takeover::kOnlyOwn;
      attached = async::Clock::now();
      progress.note.clear();
      co_return co_await WorkOn(std::move(attachment), options.handlers, stopper, progress);
    } catch (...) {
      lost = std::current_exception();
    }
    if (!IsConnectionLoss(lost)) std::rethrow_exception(lost);
    if (attached && async::Clock::now() - *attached > kHolds) reconnect.Reset();
    const auto pause = reconnect.Next();
    if (stopper.stopping()) std::rethrow_exception(lost);
    if (!pause) ThrowGivenUp(lost, budget);
    progress.note = fmt::format("connection lost, trying again: {}", Judge(lost).text);
    co_await stopper.SleepFor(*pause);
  }
}

Task<> UndoRun(RunnerOptions options, async::Stopper& stopper, Progress& progress) {
  Attachment attachment =
      co_await Attach(options, state::NewRunId(), guard::Takeover::kFromAnybody);
  const Work work{attachment, options.handlers, stopper, progress};
  co_await UndoSteps(work);
  co_await RecordRun(work, state::RunState::kAborted, "");
}

}  // namespace pgalter::run
