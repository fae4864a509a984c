// LagGate: says by the clock alone when the lag of a standby may be past its limit. Pure.
//
// A reading is as old as the look that it came from, and a lag grows with every second in which
// nothing new is seen of the standby. So a look tells the gate up to when each standby was known to
// have replayed everything: its lag is at most what has passed since. The gate is shut as soon as
// that is past the limit by `kSlack`, whether or not anybody has looked again meanwhile; never
// later than `kSlack` after the lag itself, and sooner by at most what lies between two looks.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "engine/watch/signal.h"

namespace pgalter::throttle {

class LagGate {
 public:
  using Time = watch::CounterHistory::Time;

  // With looks 0.45 s apart a standby that keeps up is never that far behind a limit of a second.
  static constexpr std::chrono::milliseconds kSlack{300};

  // What is known after a round, and the limits that hold from now on.
  void Note(const watch::Memory& memory, const watch::WatchOptions& options);

  // Why nobody is admitted now; nullopt: the gate is open.
  [[nodiscard]] std::optional<std::string> WhyShut(Time now) const;

 private:
  struct Standby {
    std::string name;
    Time fresh;
    double limit = 0;  // seconds
    double delay = 0;
  };
  std::vector<Standby> standbys_;
};

}  // namespace pgalter::throttle
