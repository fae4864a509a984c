// ReplicaSight: what was last seen of a standby that is looked at on a session of its own. Values;
// `Replicas` (replicas.h) keeps them, `ReadStandbys` makes lags of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgalter::watch {

struct Downstream {
  std::string name;
  std::uint64_t replayed = 0;
};

struct ReplicaSight {
  std::string name;                          // cluster_name, or host and port
  std::optional<std::uint64_t> beat;         // the newest heartbeat of the run that has got there
  std::optional<std::uint64_t> replayed;     // WAL position
  double delay = 0;                          // recovery_min_apply_delay, seconds: no lag of ours
  std::vector<Downstream> downstream;        // standbys that stream from it
  std::chrono::steady_clock::time_point at;  // when it answered
  std::string trouble;                       // not empty: it cannot be read now, and why
};

}  // namespace pgalter::watch
