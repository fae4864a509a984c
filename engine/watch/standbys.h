// The physical standbys that stream from this server, and how far behind their replay is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/watch/signal.h"

namespace pgalter::watch {

struct StandbyLag {
  std::string name;
  double bytes = 0;
  double seconds = 0;
};

struct Standbys {
  std::optional<Observation> failure;  // set: there is no answer; do not look at `lags`
  std::vector<StandbyLag> lags;
};

// Left out: ignored ones, subscribers of logical replication, backups, and receivers of WAL that
// replay nothing. One that was there before and is not any more is a failure.
Task<Standbys> ReadStandbys(SignalContext& context);

// The worst by one of its measures, with the others' names left out.
Observation WorstOf(const Standbys& standbys, double StandbyLag::*measure);

}  // namespace pgalter::watch
