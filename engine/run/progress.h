// What a run knows of itself at this moment: written by the step at work, read by the terminal and
// by the heartbeat that carries it to other machines. One thread.
#pragma once

#include <cstdint>
#include <string>

namespace pgalter::run {

struct Progress {
  std::string phase = "starting";
  std::int64_t done_rows = 0;
  std::int64_t total_rows = 0;  // an estimate until the end
  double fraction = 0;          // of the work of this phase, [0, 1]
  double rows_per_s = 0;        // over the last seconds
  double eta_low_s = -1;        // negative: not known yet
  double eta_high_s = -1;
  double throttle_ratio = 1;    // share of the time in which workers work
  std::string throttle_reason;  // the signal that decides, with its value
  double hot_share = -1;        // of the updates so far; negative: not known yet
  std::int64_t chunks = 0;
  double worst_chunk_ms = 0;
  std::int64_t waiting_rows = 0;  // locked by users when their chunk came; they come again
  std::int64_t quarantined_rows = 0;
  std::string remark;  // what else people should know: a method given up, and why
  std::string note;    // what the run waits for, when it waits
  int step = 0;        // of a plan: the one at work, from 1
  int steps = 0;       // of a plan, in all; 0: this run is none of a plan
  std::string gate;    // where the run rests until somebody opens it; empty: it does not
};

}  // namespace pgalter::run
