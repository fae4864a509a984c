#include "cli/wishes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "batcher/backfill/wish.h"
#include "batcher/throttle/settings.h"
#include "cli/await_state.h"
#include "cli/opposite.h"
#include "cli/rejected.h"
#include "cli/undo.h"
#include "engine/guard/transaction.h"
#include "engine/run/canary.h"
#include "engine/run/plan_spec.h"
#include "engine/run/take_over.h"
#include "engine/state/schema.h"

namespace pgalter::cli {

namespace {

constexpr async::Milliseconds kPauseLimit{30'000};
// The runner may be waiting for a lock to drop its trigger: the ladder's own budget and more.
constexpr async::Milliseconds kAbortLimit{120'000};

[[noreturn]] void RejectEnded(const std::string& run, state::RunState state,
                              std::string_view what) {
  throw Rejected(ExitCode::kRefused,
                 fmt::format("run {} is {}: there is nothing to {}", run, state::Name(state), what),
                 "pgalter status " + run);
}

[[noreturn]] void RefuseBeside(const state::Runner& runner, const std::string& run) {
  const run::Beside beside(runner, run);
  throw Rejected(ExitCode::kRefused, beside.what(), beside.hint());
}

// Inside a transaction: until its end nobody takes the run up.
Task<> HoldLease(guard::Session& session, std::string run) {
  co_await session.db().Query("SELECT FROM pgalter.lease WHERE run = $1 FOR SHARE", run);
}

// Where a runner took it up meanwhile, that one is to pause it.
Task<bool> SetPaused(guard::Session& session, std::string run, state::RunState from) {
  bool changed = false;
  auto set = [&]() -> Task<> {
    co_await HoldLease(session, run);
    const auto runner = co_await state::LiveRunner(session, run);
    if (!runner)
      changed = co_await state::ChangeState(session, run, from, state::RunState::kPaused);
  };
  co_await guard::RunInTransaction(session, set);
  co_return changed;
}

bool MayGoOn(const state::Run& run) {
  return state::IsActive(run.state) || run.state == state::RunState::kFailed;
}

}  // namespace

Task<> PauseRun(guard::Session& session, state::Run run) {
  if (!state::IsActive(run.state)) RejectEnded(run.id, run.state, "pause");
  // Asked first: a runner that comes up meanwhile reads it.
  co_await state::Ask(session, run.id, state::Wanted::kPause);
  Awaited seen = co_await AwaitState(session, run.id, state::RunState::kPaused, kPauseLimit);
  if (seen.end == AwaitEnd::kNoRunner) {
    const bool changed = co_await SetPaused(session, run.id, seen.state);
    if (!changed)
      seen = co_await AwaitState(session, run.id, state::RunState::kPaused, kPauseLimit);
    else
      seen.end = AwaitEnd::kReached;
  }
  if (seen.end == AwaitEnd::kReached) co_return;
  if (seen.end == AwaitEnd::kEndedOtherwise) RejectEnded(run.id, seen.state, "pause");
  throw Rejected(ExitCode::kError,
                 fmt::format("run {} was asked to pause and has not done so within {} s; the wish "
                             "stands",
                             run.id, kPauseLimit.count() / 1000),
                 "pgalter status " + run.id);
}

Task<> AbortRun(const Context& context, guard::Session& session, state::Run run) {
  const auto give_up = async::Clock::now() + kAbortLimit;
  Awaited seen;
  for (;;) {
    seen = co_await AskAndAwait(session, run.id, state::Wanted::kAbort, state::RunState::kAborted,
                                kAbortLimit);
    const bool nobody_does_it =
        seen.end == AwaitEnd::kNoRunner ||
        (seen.end == AwaitEnd::kEndedOtherwise && seen.state == state::RunState::kFailed);
    if (!nobody_does_it) break;
    const bool undone =
        co_await UndoUnlessBeside(context, run.id, state::RunState::kAborted, give_up);
    if (undone) co_return;
  }
  if (seen.end == AwaitEnd::kReached) co_return;
  throw Rejected(
      ExitCode::kError,
      fmt::format("run {} was asked to abort and is {}", run.id, state::Name(seen.state)),
      "pgalter status " + run.id);
}

std::vector<PaceSetting> ReadPace(const std::vector<std::string>& given) {
  throttle::Settings scratch;
  std::vector<PaceSetting> settings;
  for (const std::string& text : given) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw Rejected(ExitCode::kUsage, fmt::format("--set takes KEY=VALUE: not \"{}\"", text),
                     "pgalter help throttle");
    settings.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    const auto& [key, value] = settings.back();
    const auto wish = backfill::ReadWish(key, value);
    if (wish && !wish->refusal.empty())
      throw Rejected(ExitCode::kUsage, wish->refusal, "pgalter help throttle");
    if (wish) continue;
    if (const auto problem = throttle::Change(scratch, key, value))
      throw Rejected(ExitCode::kUsage, *problem, "pgalter help throttle");
  }
  return settings;
}

boost::json::object PaceInForce(const state::Run& run, const state::Control& control) {
  const auto* pace = run.spec.if_contains(run::kPace);
  const boost::json::object& begun = pace != nullptr ? pace->as_object() : run.spec;
  boost::json::object all;
  if (const auto* workers = begun.if_contains("workers"))
    all["workers"] = fmt::format("{}", workers->to_number<int>());
  if (const auto* time = begun.if_contains("chunk_time_ms"))
    all["chunk-time"] = fmt::format("{}ms", time->to_number<std::int64_t>());
  if (const auto* limits = begun.if_contains("throttle"))
    for (const auto& [key, value] : limits->as_object()) all[key] = value;
  for (const auto& [key, value] : control.throttle) all[key] = value;
  all.erase("replicas");
  return all;
}

Task<> SetPace(guard::Session& session, state::Run run, std::vector<PaceSetting> settings) {
  if (!MayGoOn(run))
    throw Rejected(ExitCode::kRefused,
                   fmt::format("run {} is {}: it has no pace", run.id, state::Name(run.state)),
                   "pgalter ps");
  for (const auto& [key, value] : settings)
    co_await state::SetThrottle(session, run.id, key, value);
}

Task<> CheckGate(guard::Session& session, state::Run run, std::string gate) {
  std::vector<std::string> gates;
  const auto steps = co_await state::LoadSteps(session, run.id);
  const bool canary = run::CanaryOf(run) > 0;
  for (const state::Step& step : steps) {
    if (const auto planned = run::PlannedStep(step).gate) gates.push_back(planned->name);
    std::string own = run::IsPlan(run) ? run::CanaryGateOf(step) : "";
    if (canary && !own.empty()) gates.push_back(std::move(own));
  }
  if (canary && !run::IsPlan(run)) gates.emplace_back(run::kCanaryGate);
  if (std::find(gates.begin(), gates.end(), gate) != gates.end()) co_return;
  throw Rejected(ExitCode::kUsage, fmt::format("run {} has no gate {}", run.id, gate),
                 gates.empty() ? "it has none" : fmt::format("it has: {}", fmt::join(gates, ", ")));
}

Task<> RefuseGoingOn(guard::Session& session, state::Run run, BesideRunner beside) {
  if (!MayGoOn(run))
    throw Rejected(ExitCode::kRefused,
                   fmt::format("run {} is {}: it cannot go on", run.id, state::Name(run.state)),
                   Anew(run));
  if (beside == BesideRunner::kRefused) {
    const auto runner = co_await FindLivingRunner(session, run.id);
    if (runner) RefuseBeside(*runner, run.id);
  }
  co_await state::RefuseTakenTables(session, run.id);
  // Before the first thing that is written: it would be sent.
  co_await state::RefusePublication(session);
  const state::Control control = co_await state::ReadControl(session, run.id);
  if (control.wanted == state::Wanted::kRevert)
    throw Rejected(ExitCode::kRefused,
                   fmt::format("run {} is being taken back, which has not come to its end", run.id),
                   fmt::format("pgalter revert {} --yes", run.id));
}

Task<> LetGoOn(guard::Session& session, std::string run, Further further, BesideRunner beside) {
  auto let = [&]() -> Task<> {
    co_await HoldLease(session, run);
    const auto runner = co_await state::LiveRunner(session, run);
    if (runner && beside == BesideRunner::kRefused) RefuseBeside(*runner, run);
    if (further.through) co_await state::GoThrough(session, run, *further.through);
    if (!further.gate.empty()) co_await state::PassGate(session, run, further.gate);
    co_await state::Ask(session, run, state::Wanted::kRun);
  };
  co_await guard::RunInTransaction(session, let);
}

}  // namespace pgalter::cli
