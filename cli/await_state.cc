#include "cli/await_state.h"

#include "cli/pick_run.h"
#include "engine/async/fail_point.h"

namespace pgalter::cli {

Task<Awaited> AwaitState(guard::Session& session, std::string run, state::RunState wanted,
                         async::Milliseconds limit) {
  constexpr async::Milliseconds kLook{100};
  const auto give_up = async::Clock::now() + limit;
  Awaited awaited;
  for (;;) {
    // In this order: a runner that has gone has written its last state before.
    const auto runner = co_await state::LiveRunner(session, run);
    const auto now = co_await state::FindRun(session, run);
    if (!now) PickRun({}, run);  // forgotten meanwhile
    awaited.state = now->state;
    awaited.end = AwaitEnd::kReached;
    if (now->state == wanted) co_return awaited;
    awaited.end = AwaitEnd::kEndedOtherwise;
    if (!state::IsActive(now->state)) co_return awaited;
    awaited.end = AwaitEnd::kNoRunner;
    if (!runner) co_return awaited;
    awaited.end = AwaitEnd::kTimedOut;
    if (async::Clock::now() >= give_up) co_return awaited;
    co_await async::SleepFor(kLook);
  }
}

Task<Awaited> AskAndAwait(guard::Session& session, std::string run, state::Wanted wanted,
                          state::RunState state, async::Milliseconds limit) {
  constexpr async::Milliseconds kOneLook{0};
  co_await state::Ask(session, run, wanted);
  const Awaited seen = co_await AwaitState(session, run, state, kOneLook);
  if (seen.end != AwaitEnd::kTimedOut) co_return seen;
  co_await state::Ask(session, run, wanted);
  co_return co_await AwaitState(session, run, state, limit);
}

Task<std::optional<state::Runner>> FindLivingRunner(guard::Session& session, std::string run) {
  constexpr async::Milliseconds kLook{50};
  constexpr async::Milliseconds kFewBeats{5'000};
  const auto give_up = async::Clock::now() + async::LimitOf("few-beats", kFewBeats);
  const auto first = co_await state::LiveRunner(session, run);
  for (auto now = first;; now = co_await state::LiveRunner(session, run)) {
    if (!now || now->last_beat != first->last_beat || async::Clock::now() >= give_up) co_return now;
    co_await async::SleepFor(kLook);
  }
}

}  // namespace pgalter::cli
