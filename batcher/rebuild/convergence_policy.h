// Whether changes are followed faster than users make them. Pure: rounds of catch-up in, a verdict
// out, with the numbers for who reads it.
//
// A round carries over what users changed during the one before it, as far as it comes in a minute.
// Where users are slower, what is left shrinks until few keys are left, or until rounds take no
// longer than a round has to: what is left then is carried over under the lock of the swap in that
// time. Where users are faster, it is time without progress that ends it: whole rounds would grow,
// each longer than the last, and a count of them would wait for ever.
#pragma once

#include <chrono>
#include <cstdint>

namespace pgalter::rebuild {

struct ConvergenceOptions {
  std::int64_t enough = 100;                  // keys: less is never asked for
  std::chrono::milliseconds short_round{50};  // a steady state of such rounds is as good
  // Progress is a twentieth less: speeds that are nearly the same take for ever, too.
  int steady_rounds = 10;
  int least_rounds = 2;  // without progress, before `patience` counts
  std::chrono::milliseconds patience{std::chrono::minutes(10)};
};

struct FollowedRound {
  std::int64_t taken = 0;    // keys that users made dirty during the round before
  std::int64_t applied = 0;  // keys that were carried over
  std::chrono::milliseconds took{0};
  bool whole = true;  // no dirty key was left
};

enum class Verdict { kGoOn, kClose, kNever };

class Convergence {
 public:
  explicit Convergence(ConvergenceOptions options) : options_(options) {}

  Verdict After(const FollowedRound& round);

  // Rows a second: that users change, and that are carried over. Of the last round; the former is 0
  // until there are two.
  [[nodiscard]] double coming() const { return coming_; }
  [[nodiscard]] double followed() const { return followed_; }

 private:
  [[nodiscard]] bool IsProgress(const FollowedRound& round);

  ConvergenceOptions options_;
  std::int64_t mark_ = -1;  // keys of the last whole round that was progress
  int rounds_ = 0;          // without progress
  std::chrono::milliseconds waited_{0};
  std::chrono::milliseconds last_took_{0};
  double coming_ = 0;
  double followed_ = 0;
};

}  // namespace pgalter::rebuild
