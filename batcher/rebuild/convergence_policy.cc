#include "batcher/rebuild/convergence_policy.h"

#include <algorithm>

namespace pgalter::rebuild {

namespace {

constexpr double kProgress = 0.95;

double PerSecond(std::int64_t keys, std::chrono::milliseconds took) {
  return static_cast<double>(keys) /
         std::max(std::chrono::duration<double>(took).count(), 0.001);  // a clock's tick
}

}  // namespace

// Of a round that came to no end only the speeds tell whether the next one may.
bool Convergence::IsProgress(const FollowedRound& round) {
  if (!round.whole) {
    mark_ = -1;
    return coming_ <= kProgress * followed_;
  }
  if (mark_ >= 0 && static_cast<double>(round.applied) > kProgress * static_cast<double>(mark_))
    return false;
  mark_ = round.applied;
  return true;
}

Verdict Convergence::After(const FollowedRound& round) {
  if (last_took_.count() > 0) coming_ = PerSecond(round.taken, last_took_);
  followed_ = PerSecond(round.applied, round.took);
  last_took_ = round.took;
  if (round.whole && round.applied <= options_.enough) return Verdict::kClose;
  if (IsProgress(round)) {
    rounds_ = 0;
    waited_ = std::chrono::milliseconds(0);
    return Verdict::kGoOn;
  }
  ++rounds_;
  waited_ += round.took;
  const bool is_short = round.whole && round.took <= options_.short_round;
  if (is_short && rounds_ >= options_.steady_rounds) return Verdict::kClose;
  if (rounds_ >= options_.least_rounds && waited_ >= options_.patience) return Verdict::kNever;
  return Verdict::kGoOn;
}

}  // namespace pgalter::rebuild
