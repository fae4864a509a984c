// ReplayTrack: one standby from look to look: how far its replay was, how fast it goes, and when it
// was last known to have all. Pure: time is given in.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/watch/counter_history.h"

namespace pgalter::watch {

enum class Replay { kMoves, kStandsStill };

class ReplayTrack {
 public:
  using Time = CounterHistory::Time;

  // A smaller position than the last means another server: all begins anew.
  Replay NoteReplayed(std::uint64_t position, Time seen);

  // What the primary had written by then has been replayed. Stays true: only a later time counts.
  void NoteFresh(Time at);
  // The lag is at most what has passed since then, whether or not anybody looks.
  [[nodiscard]] std::optional<Time> fresh() const { return fresh_; }

  // How late what is written now will be replayed, by the rate since `busy_since`, from when on it
  // had never replayed all; `lag` where that is not known. At most four times the lag: a replay
  // that stood still for a moment is not that slow.
  [[nodiscard]] double Due(double bytes, double lag, Time busy_since) const;

  double delay = 0;  // seconds that it was told to keep

 private:
  CounterHistory replayed_{512};
  std::optional<std::uint64_t> last_;
  std::optional<Time> fresh_;
};

}  // namespace pgalter::watch
