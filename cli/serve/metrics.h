// What /metrics says, from the picture of the moment. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/state/runs.h"
#include "engine/state/view.h"

namespace pgalter::cli::serve {

struct MetricRun {
  state::Run run;
  std::optional<state::Runner> runner;
};

struct MetricTable {
  std::string table;
  std::optional<std::int64_t> succeeded;  // seconds since 1970
  std::int64_t failures = 0;              // in all
  int failing = 0;                        // since the last success
  std::int64_t made = 0;
};

struct MetricsInput {
  std::string version;
  bool connected = false;
  std::vector<MetricRun> runs;
  std::map<std::string, double> blocked_seconds;  // by run
  std::map<std::string, state::LogEnd> log_ends;  // by run
  std::vector<MetricTable> maintained;
  std::optional<std::int64_t> lock_waiters;  // unknown where the server is not reached
};

// Runs that are active or have failed have series of their own, and so does the cut-over of every
// rebuild that is not finished; the others are only counted, so that the series stay few.
std::string MetricsText(const MetricsInput& input);

}  // namespace pgalter::cli::serve
