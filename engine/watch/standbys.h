// The standbys of this server and how far behind their replay is: those that stream from it, as it
// shows them, and those that were named by address (replicas.h), with what streams from them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/watch/signal.h"

namespace pgalter::watch {

struct StandbyLag {
  std::string name;
  double bytes = 0;
  double seconds = 0;  // without the delay that it was told to keep
  double due = 0;      // how late what is written now will be there; at least `seconds`
  double delay = 0;
};

struct Standbys {
  std::optional<Observation> failure;  // set: not all can be seen
  std::vector<StandbyLag> lags;
};

// Left out: ignored ones, subscribers of logical replication, backups, and receivers of WAL that
// replay nothing. One that was there before and is not any more is a failure.
Task<Standbys> ReadStandbys(SignalContext& context);

// The one that is worst for its limit. A lag past its limit counts even where another standby
// cannot be seen. Pure.
Observation WorstBySeconds(const Standbys& standbys, const WatchOptions& options, double limit);
Observation WorstByBytes(const Standbys& standbys, const WatchOptions& options, double limit);

}  // namespace pgalter::watch
