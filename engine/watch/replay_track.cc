#include "engine/watch/replay_track.h"

#include <algorithm>

namespace pgalter::watch {

Replay ReplayTrack::NoteReplayed(std::uint64_t position, Time seen) {
  const Replay replay = last_ == position ? Replay::kStandsStill : Replay::kMoves;
  if (last_ && position < *last_) fresh_.reset();
  last_ = position;
  replayed_.Record(position, seen);
  return replay;
}

void ReplayTrack::NoteFresh(Time at) { fresh_ = std::max(at, fresh_.value_or(at)); }

double ReplayTrack::Due(double bytes, double lag, Time busy_since) const {
  constexpr double kShortest = 0.4;  // seconds; less says nothing about a rate
  constexpr double kMost = 4;        // lags
  const CounterHistory::Growth growth = replayed_.GrowthSince(busy_since);
  if (growth.over.count() < kShortest || growth.by == 0) return lag;
  const double rate = static_cast<double>(growth.by) / growth.over.count();
  return std::clamp(bytes / rate, lag, kMost * lag);
}

}  // namespace pgalter::watch
