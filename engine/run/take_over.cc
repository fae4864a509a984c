#include "engine/run/take_over.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "engine/async/fail_point.h"
#include "engine/guard/admit.h"
#include "engine/run/orphans.h"
#include "engine/state/heartbeat.h"

namespace pgalter::run {

namespace {

struct Taking {
  guard::Session& session;
  std::string run;
  std::string owner;
  Claim claim;
};

// The lease stays as it was.
struct Connected {
  state::Runner runner;
};

Task<> RefuseEnded(const Taking& taking) {
  const auto run = co_await state::FindRun(taking.session, taking.run);
  if (!run) co_return;
  const bool taken_back =
      run->state == state::RunState::kAborted || run->state == state::RunState::kReverted;
  if (taken_back || run->finished) throw HasEnded(run->id, run->state, run->finished);
}

Task<> RefuseConnected(const Taking& taking) {
  if (!async::SafeguardOn("holder-dead")) co_return;
  const auto runner = co_await state::LiveRunner(taking.session, taking.run);
  if (runner) throw Connected{*runner};
}

Task<guard::Lease> TakeWithin(const Taking& taking, async::Milliseconds limit) {
  const guard::Admit admit = [&taking](const guard::Lease& taken, guard::Before before) -> Task<> {
    co_await RefuseEnded(taking);
    if (taking.claim == Claim::kFromTheDead && before == guard::Before::kOthers)
      co_await RefuseConnected(taking);
    co_await state::ShowHolder(taking.session, taken);
  };
  const auto takeover =
      taking.claim == Claim::kOnlyOwn ? guard::Takeover::kOnlyOwn : guard::Takeover::kFromAnybody;
  co_return co_await guard::TakeLeaseIf(taking.session, taking.run, taking.owner, limit, takeover,
                                        admit);
}

// An orphan that sits in a transaction holds the lease row: after a first try it is ended.
Task<guard::Lease> TakeFromOrphans(const Taking& taking) {
  constexpr async::Milliseconds kFirst{1000};
  constexpr async::Milliseconds kOrphans{10'000};
  constexpr async::Milliseconds kSecond{30'000};
  const auto first = async::LimitOf("lease-first", kFirst);
  std::optional<guard::Lease> lease;
  try {
    lease = co_await TakeWithin(taking, first);
  } catch (const pg::PgError& error) {
    if (error.klass() != pg::SqlstateClass::kLockNotAvailable) throw;
  }
  if (!lease && taking.claim == Claim::kFromTheDead) co_await RefuseConnected(taking);
  co_await EndOrphans(taking.session, taking.run, kOrphans);
  if (!lease) lease = co_await TakeWithin(taking, kSecond);
  co_return *lease;
}

}  // namespace

Beside::Beside(const state::Runner& runner, const std::string& run)
    : std::runtime_error(fmt::format(
          "process {} on {} works on run {} (backend {}, last heard of {:.0f} s ago); "
          "one runner a run",
          runner.process, runner.host, run, runner.backend_pid, runner.seconds_since_beat)),
      hint_(fmt::format("pgalter watch {0}; or, to put it in its place: pgalter resume {0} "
                        "--take-over",
                        run)) {}

HasEnded::HasEnded(const std::string& run, state::RunState state, bool finished)
    : std::runtime_error(fmt::format("run {} is {}: it cannot go on", run,
                                     finished ? "finished" : state::Name(state))),
      state_(state),
      hint_("pgalter status " + run) {}

Task<guard::Lease> TakeOver(guard::Session& session, std::string run, std::string owner,
                            Claim claim) {
  constexpr async::Milliseconds kLook{50};
  constexpr async::Milliseconds kFewBeats{5'000};
  const auto give_up = async::Clock::now() + async::LimitOf("few-beats", kFewBeats);
  const Taking taking{session, std::move(run), std::move(owner), claim};
  std::optional<state::Runner> first;
  for (;;) {
    std::optional<state::Runner> now;
    try {
      co_return co_await TakeFromOrphans(taking);
    } catch (const Connected& connected) {
      now = connected.runner;
    }
    if (!first) first = now;
    const bool beats = now->last_beat != first->last_beat;
    if (beats || async::Clock::now() >= give_up) throw Beside(*now, taking.run);
    co_await async::SleepFor(kLook);
  }
}

}  // namespace pgalter::run
