// Episodes of lock waits around a run, kept with it: from when somebody waited for it, or it for
// somebody, until nobody did.
#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <vector>

#include "engine/guard/lease.h"
#include "engine/guard/session.h"

namespace pgalter::state {

using async::Task;
using guard::Session;

struct LockEpisode {
  std::string began_at;  // UTC, ISO 8601
  double seconds = 0;
  std::string step;
  int waiters = 0;  // the most at one time
  boost::json::array trees;
};

// Of the lease's holder; a run that another one has got meanwhile gets none. Ends now.
Task<> RecordLockEpisode(Session& session, const guard::Lease& lease, LockEpisode episode);
// The newest first. Empty in a schema that an older program has made.
Task<std::vector<LockEpisode>> LockEpisodes(Session& session, std::string run, int most);
// This schema has them.
Task<bool> KeepsLockEpisodes(Session& session);

}  // namespace pgalter::state
