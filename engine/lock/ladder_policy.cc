#include "engine/lock/ladder_policy.h"

#include <algorithm>
#include <utility>

namespace pgalter::lock {

namespace {

// The server cancels autovacuum when deadlock_timeout is over; the worker needs a moment to go.
constexpr Milliseconds kAutovacuumLeaves{500};
constexpr Milliseconds kShortestAttempt{10};

Milliseconds Scaled(Milliseconds value, double factor) {
  return Milliseconds(static_cast<Milliseconds::rep>(static_cast<double>(value.count()) * factor));
}

}  // namespace

Ladder::Ladder(LadderOptions options, std::function<double()> jitter)
    : options_(options),
      jitter_(std::move(jitter)),
      attempt_(options.first_attempt),
      longest_pause_(std::min(2 * options.pause_min, options.pause_max)) {}

Action Ladder::Next(Event event, const Situation& now) {
  switch (event) {
    case Event::kStart:
    case Event::kPaused:
      return NextAttempt(now);
    case Event::kLockNotAvailable: {
      const bool fits = now.deadlock_timeout + kAutovacuumLeaves <= kLongestAttempt;
      cancel_autovacuum_next_ = options_.policy == BlockerPolicy::kCancelAutovacuum &&
                                now.only_autovacuum && fits && !cancelled_autovacuum_;
      attempt_ = std::min(Scaled(attempt_, options_.growth), options_.top_attempt);
      return AfterFailure(now);
    }
    case Event::kDeadlock:
      return AfterFailure(now);
    case Event::kHoldOverrun:
      if (++hold_overruns_ >= options_.hold_overruns) return GiveUp{};
      longest_pause_ = options_.pause_max;
      return AfterFailure(now);
  }
  return GiveUp{};
}

Action Ladder::AfterFailure(const Situation& now) {
  const auto spread = std::max(longest_pause_ - options_.pause_min, Milliseconds{0});
  const Milliseconds pause = options_.pause_min + Scaled(spread, jitter_());
  longest_pause_ = std::min(Scaled(longest_pause_, options_.growth), options_.pause_max);
  if (now.elapsed + pause + NextLength(now) > options_.budget) return GiveUp{};
  return Pause{pause};
}

Action Ladder::NextAttempt(const Situation& now) {
  const Milliseconds length = NextLength(now);
  const bool outwaits = std::exchange(cancel_autovacuum_next_, false);
  cancelled_autovacuum_ = cancelled_autovacuum_ || outwaits;
  return Attempt{length, outwaits};
}

Milliseconds Ladder::NextLength(const Situation& now) const {
  return cancel_autovacuum_next_ ? now.deadlock_timeout + kAutovacuumLeaves : Rung(now);
}

Milliseconds Ladder::Rung(const Situation& now) const {
  const Milliseconds before_deadlock_check = now.deadlock_timeout * 9 / 10;
  const auto rung = std::min({attempt_, kLongestAttempt, before_deadlock_check});
  return std::max(rung, kShortestAttempt);
}

}  // namespace pgalter::lock
