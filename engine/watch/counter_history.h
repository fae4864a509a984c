// CounterHistory: when did a counter that only grows (WAL position, next transaction id) have which
// value? It answers how old a position is, although the server does not say: a paused or delayed
// standby reports no lag that grows, an xmin no time at all. Pure: time is given in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace pgalter::watch {

class CounterHistory {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Seconds = std::chrono::duration<double>;

  struct Age {
    Seconds at_least{0};
    std::optional<Seconds> at_most;  // nullopt: older than this history
  };

  explicit CounterHistory(std::size_t samples = 8192) : most_(samples) {}

  // A smaller value than the last means another server: the history begins anew.
  void Record(std::uint64_t value, Time now);

  // By how much it has grown since then, as far as was seen, and in what time.
  struct Growth {
    std::uint64_t by = 0;
    Seconds over{0};
  };
  Growth GrowthSince(Time since) const;

  // How long ago the counter passed `value`. Zero when it has not been seen beyond it.
  Age AgeOf(std::uint64_t value, Time now) const;

 private:
  struct Sample {
    std::uint64_t value;
    Time first;  // seen with this value
    Time last;
  };
  void Thin();

  std::deque<Sample> samples_;  // both value and time rise
  std::size_t most_;            // from there on older ones are thinned out
};

}  // namespace pgalter::watch
