#include "engine/run/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/range/adaptor/reversed.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/async/fail_point.h"
#include "engine/async/task_group.h"
#include "engine/guard/transaction.h"
#include "engine/pg/reconnect_policy.h"
#include "engine/run/attachment.h"
#include "engine/run/gate_step.h"
#include "engine/run/given_up.h"
#include "engine/run/plan_spec.h"
#include "engine/run/strays.h"
#include "engine/run/undo.h"
#include "engine/state/schema.h"
#include "engine/state/view.h"

namespace pgalter::run {

namespace {

constexpr std::string_view kBackfill = "backfill";  // a kind of step, and a command

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
  return Environment{with.sessions, with.main,     with.observer, work.stopper, with.lease,
                     with.run,      work.progress, with.control,  with.outside};
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

// A run that had ended held its tables no more: from here on it does. `wanted`: what is being done,
// where somebody who began beside us may have asked for another thing.
Task<> RecordActive(const Work& work, std::optional<state::Wanted> wanted = std::nullopt) {
  Attachment& with = work.attachment;
  const std::string phase = work.progress.phase;
  auto record = [&]() -> Task<> {
    co_await state::ClaimTables(with.main, with.run.id);
    co_await state::RecordState(with.main, with.lease, state::RunState::kRunning, phase, "");
    if (wanted) co_await state::Ask(with.main, with.run.id, *wanted);
  };
  co_await guard::RunInTransaction(with.main, record);
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

// Of a plan each step is a share of the work; others say for themselves how far they are.
void TellStep(const Work& work, const state::Step& step) {
  Progress& progress = work.progress;
  const bool another = progress.phase != step.id;  // than where the runner before this one was
  progress.phase = step.id;
  if (!IsPlan(work.attachment.run)) {
    if (another) progress.fraction = 0;
    return;
  }
  progress.steps = static_cast<int>(work.attachment.steps.size());
  progress.step = step.ordinal;
  progress.done_rows = 0;
  progress.total_rows = 0;
  progress.fraction = static_cast<double>(step.ordinal - 1) / progress.steps;
}

// Until nobody is against it.
Task<> AwaitConsent(Environment& env, std::string event, std::string what) {
  constexpr async::Milliseconds kAskAgain{2'000};
  if (env.outside == nullptr) co_return;
  std::optional<std::string> why = co_await env.outside->WhyNot(event, what);
  while (why) {
    env.progress.note = fmt::format("step {} does not begin: {}", what, *why);
    co_await env.stopper.SleepFor(kAskAgain);
    why = co_await env.outside->WhyNot(event, what);
  }
  env.progress.note.clear();
}

// What an attempt before this one has left undone is as unknown as ever, once it is begun again.
Task<> RecordBegun(const Work& work, state::Step& step) {
  Attachment& with = work.attachment;
  const bool untouched = step.spec.erase(kUntouched) > 0;
  auto record = [&]() -> Task<> {
    co_await guard::CheckLease(with.main, with.lease);
    if (untouched) co_await state::RecordSpec(with.main, with.lease, step);
    co_await state::RecordStep(with.main, with.lease, step.ordinal, state::StepState::kRunning);
  };
  co_await guard::RunInTransaction(with.main, record);
}

// The point of no return is where the server has changed something, not where it was asked to: of
// steps that were begun the server is asked, by those who know what they change.
Task<> NoteUntouched(const Work& work) {
  Attachment& with = work.attachment;
  Environment env = MakeEnvironment(work);
  for (state::Step step : co_await state::LoadSteps(with.main, with.run.id)) {
    if (!MayBePastReturn(step)) continue;
    const bool untouched = co_await HandlerOf(work.handlers, step).Untouched(env, step);
    if (!untouched) continue;
    step.spec[kUntouched] = true;
    co_await state::RecordSpec(with.main, with.lease, step);
  }
}

// What the run has failed by is what people are told, also where nobody can be asked any more.
Task<> NoteUntouchedAfter(const Work& work, const std::exception_ptr& failure) {
  if (!work.attachment.main.open() || IsConnectionLoss(failure)) co_return;
  try {
    co_await NoteUntouched(work);
  } catch (const pg::PgError&) {
    // The step stays what it was: begun.
  } catch (const Failure&) {
  }
}

Task<> Walk(Work work) {
  co_await RecordActive(work);
  Environment env = MakeEnvironment(work);
  bool behind_gate = false;
  for (state::Step& step : work.attachment.steps) {
    work.stopper.ThrowIfStopping();
    const bool gate = step.kind == kGateKind;
    if (step.state == state::StepState::kDone) {
      behind_gate = behind_gate || gate;
      continue;
    }
    StepHandler& handler = HandlerOf(work.handlers, step);
    TellStep(work, step);
    // Every row is there by then.
    if (handler.CutsOver() && !IsPlan(work.attachment.run)) work.progress.fraction = 1;
    if (!gate && !behind_gate) ThrowIfBeyond(env, step);
    std::string event = handler.CutsOver() ? "before-cutover" : "before-step";
    if (!gate) co_await AwaitConsent(env, std::move(event), step.id);
    co_await RecordBegun(work, step);
    async::FailPoint("step-started");
    const bool done = co_await handler.Done(env, step);
    if (!done) co_await handler.Do(env, step);
    async::FailPoint("step-done-unrecorded");
    co_await Record(work, step.ordinal, state::StepState::kDone);
    async::FailPoint("step-recorded");
    behind_gate = behind_gate || gate;
  }
}

// Ends the group when the walk has ended, whatever the pulse is doing.
Task<> WalkThenEnd(Work work, async::TaskGroup& group, std::exception_ptr& failure) {
  try {
    co_await Walk(work);
  } catch (...) {
    failure = std::current_exception();
  }
  work.attachment.is_over = true;
  group.Cancel();
}

// Who asks for the run to be taken back may say, with that, for how long users may wait.
Task<> RereadLadder(Attachment& with) {
  const auto now = co_await state::FindRun(with.main, with.run.id);
  if (!now) co_return;
  if (const auto* ladder = now->spec.if_contains("ladder")) with.run.spec["ladder"] = *ladder;
}

// As far as they were done; what an earlier attempt has taken back stays so. A step with nothing to
// take back is recorded with the next that has something: until then the run is what it was.
Task<> UndoSteps(const Work& work) {
  Attachment& with = work.attachment;
  co_await RereadLadder(with);
  co_await NoteUntouched(work);
  with.steps = co_await state::LoadSteps(with.main, with.run.id);
  if (const state::Step* passed = PassedNoReturn(with.steps))
    throw Failure(ExitCode::kRefused,
                  fmt::format("run {} cannot be taken back: step {} was the point of no return. "
                              "Nothing was changed. Go on with: pgalter resume {}",
                              with.run.id, passed->id, with.run.id));
  Environment env = MakeEnvironment(work);
  const std::string strays = co_await LeaveStrays(env, with.steps);
  std::vector<int> unrecorded;
  for (const state::Step& step : boost::adaptors::reverse(with.steps)) {
    const bool begun =
        step.state == state::StepState::kDone || step.state == state::StepState::kRunning;
    if (!begun) continue;
    StepHandler& handler = HandlerOf(work.handlers, step);
    unrecorded.push_back(step.ordinal);
    if (handler.UndoesNothing(step)) continue;
    TellStep(work, step);
    const std::string said = work.progress.remark;
    co_await handler.Undo(env, step);
    if (work.progress.remark.empty()) work.progress.remark = said;
    async::FailPoint("undo-unrecorded");
    for (const int ordinal : unrecorded) co_await Record(work, ordinal, state::StepState::kUndone);
    unrecorded.clear();
    async::FailPoint("undo-recorded");
  }
  for (const int ordinal : unrecorded) co_await Record(work, ordinal, state::StepState::kUndone);
  if (!strays.empty()) work.progress.remark = strays;
}

// By the steps and what is really there, since an earlier attempt may have been killed anywhere.
Task<bool> NothingIsUndone(const Work& work) {
  Attachment& with = work.attachment;
  with.steps = co_await state::LoadSteps(with.main, with.run.id);
  if (PassedNoReturn(with.steps) != nullptr) co_return true;
  Environment env = MakeEnvironment(work);
  for (const state::Step& step : boost::adaptors::reverse(with.steps)) {
    StepHandler& handler = HandlerOf(work.handlers, step);
    if (handler.UndoesNothing(step) || step.state == state::StepState::kPending) continue;
    if (step.state == state::StepState::kUndone) co_return false;
    co_return co_await handler.StillStands(env, step);
  }
  co_return false;
}

// Where a run could not be taken back at all, nobody is held to that: it is what it was, and can be
// finished, gone on with, or taken back later. False: something was taken back.
Task<bool> LetStand(const Work& work, state::RunState was, std::string failure) {
  Attachment& with = work.attachment;
  const bool stands = co_await NothingIsUndone(work);
  if (!stands) co_return false;
  const auto is_done = [](const state::Step& step) {
    return step.state == state::StepState::kDone;
  };
  state::RunState to = was;
  if (was == state::RunState::kRunning) to = state::RunState::kFailed;
  if (std::ranges::all_of(with.steps, is_done)) to = state::RunState::kDone;
  const std::string phase = to == state::RunState::kDone ? "done" : with.run.phase;
  if (to != state::RunState::kFailed) failure.clear();
  auto record = [&]() -> Task<> {
    co_await state::RecordState(with.main, with.lease, to, phase, failure);
    co_await state::Ask(with.main, with.run.id, state::Wanted::kRun);
  };
  co_await guard::RunInTransaction(with.main, record);
  co_return true;
}

// Half taken back: whoever asks for its status is told why.
Task<> RecordStuck(const Work& work, std::string failure) {
  Attachment& with = work.attachment;
  const auto now = co_await state::FindRun(with.main, with.run.id);
  if (now) co_await RecordEnd(work, now->state, std::move(failure));
}

// `was`: what the run is again where nothing could be taken back.
Task<> TakeBack(const Work& work, state::RunState was) {
  std::exception_ptr failure;
  try {
    co_await UndoSteps(work);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  const bool reachable = work.attachment.main.open() && !IsConnectionLoss(failure);
  bool stands = false;
  const std::string text = Judge(failure).text;
  if (reachable) stands = co_await LetStand(work, was, text);
  if (reachable && !stands) co_await RecordStuck(work, text);
  std::rethrow_exception(failure);
}

// Said before it is passed: what this gate, once opened, lets nobody take back.
std::string NoReturnBehind(const Work& work) {
  for (const state::Step& step : work.attachment.steps) {
    if (step.ordinal <= work.progress.step) continue;
    if (step.kind == kGateKind) return "";
    if (IsNoReturn(step))
      return fmt::format(". Behind it, step {} is the point of no return", step.id);
  }
  return "";
}

// Said before it happens: what is lost while nobody decides.
Task<std::string> LostBehind(const Work& work) {
  Attachment& with = work.attachment;
  const auto ends = co_await state::LogEnds(with.main, with.run.id);
  const auto end = ends.find(with.run.id);
  std::string text;
  if (end != ends.end()) text = ". Meanwhile: " + state::ToSentence(end->second, with.run.id);
  co_return text;
}

// What the run has come to does not depend on it: a server that takes its time with a beat is no
// failure of a run, here as on the way.
Task<> LastBeat(const Work& work, state::Sampling sampling) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    try {
      co_await BeatOnce(work.attachment, work.progress, sampling);
      co_return;
    } catch (const pg::PgError& error) {
      if (error.klass() != pg::SqlstateClass::kCancelled) throw;
    }
  }
}

// Nothing went wrong: the run rests where somebody has to decide.
Task<Outcome> SettleAtGate(const Work& work, const GateClosed& closed) {
  work.progress.gate = closed.gate();
  work.progress.note = closed.what() + NoReturnBehind(work);
  work.progress.phase = closed.gate();
  co_await LastBeat(work, state::Sampling::kYes);
  // By that beat.
  const std::string lost = co_await LostBehind(work);
  work.progress.note += lost;
  if (!lost.empty()) co_await LastBeat(work, state::Sampling::kNo);
  co_await RecordRun(work, state::RunState::kWaiting, "");
  Outcome outcome;
  outcome.state = state::RunState::kWaiting;
  outcome.message = work.progress.note;
  co_return outcome;
}

std::optional<GateClosed> AsGateClosed(const std::exception_ptr& failure) {
  if (!failure) return std::nullopt;
  try {
    std::rethrow_exception(failure);
  } catch (const GateClosed& closed) {
    return closed;
  } catch (...) {
    return std::nullopt;
  }
}

// Where more than one step went over rows, each counted its own. Those of other tables, which got a
// column to refer with, are none of the run's.
Task<> CountRows(const Work& work) {
  const state::Run& run = work.attachment.run;
  if (IsPlan(run)) co_return;
  std::int64_t rows = 0;
  std::int64_t filled = 0;
  for (const state::Step& step : co_await state::LoadSteps(work.attachment.main, run.id)) {
    const bool of_others = step.kind == kBackfill && run.command != kBackfill;
    if (const auto* done = step.spec.if_contains("done_rows"))
      (of_others ? filled : rows) += done->to_number<std::int64_t>();
  }
  if (rows + filled == 0) co_return;
  work.progress.done_rows = work.progress.total_rows = rows;
  if (filled == 0) co_return;
  std::string& remark = work.progress.remark;
  remark += fmt::format("{}{} rows of tables that refer to {} were filled",
                        remark.empty() ? "" : "; ", filled, run.target);
}

Task<Outcome> Settle(const Work& work, const std::exception_ptr& failure) {
  Outcome outcome;
  if (!failure) {
    co_await CountRows(work);
    work.progress.phase = "done";
    work.progress.fraction = 1;
    co_await LastBeat(work, state::Sampling::kYes);
    co_await RecordRun(work, state::RunState::kDone, "");
    co_return outcome;
  }
  if (const auto closed = AsGateClosed(failure)) {
    outcome = co_await SettleAtGate(work, *closed);
    co_return outcome;
  }
  co_await NoteUntouchedAfter(work, failure);
  const Verdict verdict = Judge(failure);
  outcome.code = verdict.code;
  outcome.message = verdict.text;
  std::optional<async::StopReason> stopped;
  if (verdict.code == ExitCode::kPausedOrAborted) stopped = work.stopper.reason();
  if (stopped == async::StopReason::kPause) {
    outcome.state = state::RunState::kPaused;
  } else if (stopped == async::StopReason::kAbort) {
    co_await TakeBack(work, state::RunState::kRunning);
    outcome.state = state::RunState::kAborted;
    work.progress.phase = state::Name(outcome.state);
  } else if (stopped == async::StopReason::kRevert) {
    co_await TakeBack(work, state::RunState::kRunning);
    outcome.state = state::RunState::kReverted;
    work.progress.phase = state::Name(outcome.state);
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
  if (const auto* chunks = run.progress.if_contains("chunks"))
    progress.chunks = chunks->to_number<std::int64_t>();
  if (const auto* worst = run.progress.if_contains("worst_chunk_ms"))
    progress.worst_chunk_ms = worst->to_number<double>();
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

using OnAttached = std::function<Task<Outcome>(Attachment)>;

// What is lost with a connection is begun anew on another one, while the budget lasts.
Task<Outcome> Persist(const RunnerOptions& options, async::Stopper& stopper, Progress& progress,
                      const OnAttached& work) {
  // A server without room for all sessions lets some in, for a moment: that is no success yet.
  constexpr async::Milliseconds kHolds{10'000};
  const auto budget = async::LimitOf("reconnect-budget", options.reconnect_budget);
  pg::ReconnectPolicy reconnect(budget);
  const std::string owner = state::NewRunId();
  Claim claim = options.claim;
  for (;;) {
    std::exception_ptr lost;
    std::optional<async::Clock::time_point> attached;
    try {
      Attachment attachment = co_await Attach(options, owner, claim);
      claim = Claim::kOnlyOwn;
      attached = async::Clock::now();
      progress.note.clear();
      co_return co_await work(std::move(attachment));
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

Task<> BodyThenEnd(const Body& body, Environment& env, async::TaskGroup& group,
                   Attachment& attachment, bool& ended) {
  try {
    co_await body(env);
  } catch (...) {
    attachment.is_over = true;
    throw;
  }
  ended = attachment.is_over = true;
  group.Cancel();  // it is asleep
}

// Beats while `body` works.
Task<Outcome> Escort(Attachment attachment, const RunnerOptions& options, const Body& body,
                     async::Stopper& stopper, Progress& progress) {
  const Work work{attachment, options.handlers, stopper, progress};
  Environment env = MakeEnvironment(work);
  bool ended = false;
  auto both = [&](async::TaskGroup& group) -> Task<> {
    group.Spawn(KeepPulse(attachment, stopper, progress));
    group.Spawn(BodyThenEnd(body, env, group, attachment, ended));
    co_return;
  };
  std::exception_ptr failure;
  try {
    co_await async::WithTaskGroup(both);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure && !(ended && async::IsCancellation(failure))) std::rethrow_exception(failure);
  co_return Outcome{};
}

}  // namespace

Task<Outcome> Execute(RunnerOptions options, async::Stopper& stopper, Progress& progress) {
  const OnAttached work = [&](Attachment attachment) {
    return WorkOn(std::move(attachment), options.handlers, stopper, progress);
  };
  co_return co_await Persist(options, stopper, progress, work);
}

Task<> UndoRun(RunnerOptions options, state::RunState to, async::Stopper& stopper,
               Progress& progress) {
  const OnAttached undo = [&](Attachment attachment) -> Task<Outcome> {
    const Work work{attachment, options.handlers, stopper, progress};
    if (to == state::RunState::kReverted) co_await RecordActive(work, state::Wanted::kRevert);
    co_await TakeBack(work, attachment.run.state);
    progress.phase = state::Name(to);
    co_await RecordRun(work, to, "");
    co_return Outcome{};
  };
  try {
    co_await Persist(options, stopper, progress, undo);
  } catch (const HasEnded& ended) {
    // By somebody who was faster, or by us, whose COMMIT had no answer.
    if (ended.state() != to) throw;
  }
}

Task<> Accompany(RunnerOptions options, Body body, async::Stopper& stopper, Progress& progress) {
  const OnAttached work = [&](Attachment attachment) {
    return Escort(std::move(attachment), options, body, stopper, progress);
  };
  co_await Persist(options, stopper, progress, work);
}

}  // namespace pgalter::run
