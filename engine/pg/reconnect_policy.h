// After which errors a new connection is tried, and when. The functions are pure; ReconnectPolicy
// adds the clock and the dice for whoever loops.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>

#include "engine/async/task.h"
#include "engine/pg/sqlstate.h"

namespace pgalter::pg {

// Others pass by themselves or by a new connection's help; a wrong password or a missing database
// does not.
constexpr bool WorthReconnecting(SqlstateClass klass) {
  return klass == SqlstateClass::kConnectionLost || klass == SqlstateClass::kNoResource;
}

inline constexpr async::Milliseconds kReconnectBudget = std::chrono::minutes(5);

// The pause before attempt 0, 1, 2, …, or nullopt once the budget is used up. 200 ms, doubled up to
// 10 s, of which `jitter` (0 to below 1) takes off up to a half: many runners that lost the same
// server do not come back at the same moment. The last pause ends with the budget, so that a server
// that comes back late still gets one attempt.
constexpr std::optional<async::Milliseconds> ReconnectPause(
    int attempt, async::Milliseconds elapsed, double jitter,
    async::Milliseconds budget = kReconnectBudget) {
  constexpr async::Milliseconds kFirst{200};
  constexpr async::Milliseconds kTop{10'000};
  if (elapsed >= budget) return std::nullopt;
  async::Milliseconds pause = kFirst;
  for (int i = 0; i < attempt && pause < kTop; ++i) pause *= 2;
  pause = std::min(pause, kTop);
  const auto off =
      static_cast<async::Milliseconds::rep>(static_cast<double>(pause.count()) * jitter / 2);
  return std::min(pause - async::Milliseconds(off), budget - elapsed);
}

class ReconnectPolicy {
 public:
  explicit ReconnectPolicy(async::Milliseconds budget = kReconnectBudget) : budget_(budget) {}

  // The pause before the next attempt; nullopt: give up. The budget runs from the first call.
  std::optional<async::Milliseconds> Next() {
    const auto now = async::Clock::now();
    if (!first_) first_ = now;
    const auto elapsed = std::chrono::duration_cast<async::Milliseconds>(now - *first_);
    return ReconnectPause(attempt_++, elapsed, jitter_(dice_), budget_);
  }
  // After a success: the next loss begins anew.
  void Reset() {
    attempt_ = 0;
    first_.reset();
  }

 private:
  async::Milliseconds budget_;
  int attempt_ = 0;
  std::optional<async::Clock::time_point> first_;
  std::minstd_rand dice_{std::random_device{}()};
  std::uniform_real_distribution<double> jitter_{0.0, 1.0};
};

}  // namespace pgalter::pg
