// Meter: what the runner of this process measures besides its progress, for curves and for who
// watches: its chunks, commits, standbys and signals. A process carries one run at a time, in one
// thread, so there is one meter; written by steps and by the throttle, read by the heartbeat.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/run/progress.h"

namespace pgalter::run {

// How far a standby was behind when it was last looked at.
struct StandbyNow {
  std::string name;
  double seconds = 0;
  double bytes = 0;
  double limit_s = 0;
};

// A signal that is on its way to its limit.
struct SignalNow {
  std::string text;
  double utilisation = 0;
};

// Whether anybody waited for a lock when a throttle last looked.
struct LockLook {
  std::chrono::steady_clock::time_point at;
  bool anybody_waits = false;
};

struct Meter {
  double chunk_ms = -1;  // of the last chunks; negative: there was none yet
  double chunk_rows = -1;
  double commit_ms = -1;  // what a small commit takes; negative: not measured
  std::vector<StandbyNow> standbys;
  std::vector<SignalNow> signals;  // the worst first
  std::optional<LockLook> lock_look;

  // The average over about the last five.
  void NoteChunk(double ms, double rows) {
    constexpr double kWeight = 0.2;
    chunk_ms = chunk_ms < 0 ? ms : chunk_ms + kWeight * (ms - chunk_ms);
    chunk_rows = chunk_rows < 0 ? rows : chunk_rows + kWeight * (rows - chunk_rows);
  }

  static Meter& OfThisProcess() {
    static Meter meter;
    return meter;
  }
};

// A transaction that moved rows.
inline void CountChunk(Progress& progress, std::chrono::duration<double, std::milli> took,
                       std::int64_t rows) {
  ++progress.chunks;
  progress.worst_chunk_ms = std::max(progress.worst_chunk_ms, took.count());
  Meter::OfThisProcess().NoteChunk(took.count(), static_cast<double>(rows));
}

}  // namespace pgalter::run
