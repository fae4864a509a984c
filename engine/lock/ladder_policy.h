// Ladder: how often and how long we ask for a lock on a busy table. Pure: time and chance are
// handed in. While we wait, every later reader waits behind us, so attempts are short, end before
// the server looks for deadlocks (a user must never be picked as the victim because of us), and are
// apart from each other; the time between belongs to the users.
#pragma once

#include <chrono>
#include <functional>
#include <variant>

namespace pgalter::lock {

using Milliseconds = std::chrono::milliseconds;

enum class BlockerPolicy {
  kWait,              // act on nobody
  kCancelAutovacuum,  // outwait deadlock_timeout once, so that the server cancels it
  kTerminateIdle,     // end sessions that are idle in a transaction for longer than `idle_for`
};

// No attempt is longer, whatever is asked for.
inline constexpr Milliseconds kLongestAttempt{2000};

struct LadderOptions {
  Milliseconds first_attempt{100};
  Milliseconds top_attempt{450};  // its end included, nobody behind it waits for more than 500
  double growth = 1.5;
  Milliseconds pause_min{200};
  Milliseconds pause_max{2000};
  Milliseconds budget{60'000};
  Milliseconds hold_budget{1000};
  int hold_overruns = 3;  // rollbacks for holding too long before giving up: each one is felt
  BlockerPolicy policy = BlockerPolicy::kWait;
  std::chrono::seconds idle_for{300};
};

struct Attempt {
  Milliseconds lock_timeout;
  bool outwaits_autovacuum = false;
  bool operator==(const Attempt&) const = default;
};
struct Pause {
  Milliseconds duration;
  bool operator==(const Pause&) const = default;
};
struct GiveUp {
  bool operator==(const GiveUp&) const = default;
};
using Action = std::variant<Attempt, Pause, GiveUp>;

enum class Event {
  kStart,
  kLockNotAvailable,
  kDeadlock,     // the server chose us as the victim
  kHoldOverrun,  // the lock was obtained and held for too long: rolled back
  kPaused,       // a pause is over
};

struct Situation {
  Milliseconds elapsed{0};          // since the start, pauses included
  bool only_autovacuum = false;     // the attempt's blockers: autovacuum that may be cancelled
  Milliseconds deadlock_timeout{};  // the server's
};

class Ladder {
 public:
  // `jitter` returns a number in [0, 1).
  Ladder(LadderOptions options, std::function<double()> jitter);

  // At least one attempt is made, however small the budget.
  [[nodiscard]] Action Next(Event event, const Situation& now);

 private:
  [[nodiscard]] Action AfterFailure(const Situation& now);
  [[nodiscard]] Action NextAttempt(const Situation& now);
  [[nodiscard]] Milliseconds NextLength(const Situation& now) const;
  [[nodiscard]] Milliseconds Rung(const Situation& now) const;

  LadderOptions options_;
  std::function<double()> jitter_;
  Milliseconds attempt_;  // the next one, before the caps
  Milliseconds longest_pause_;
  int hold_overruns_ = 0;
  bool cancel_autovacuum_next_ = false;
  bool cancelled_autovacuum_ = false;
};

}  // namespace pgalter::lock
