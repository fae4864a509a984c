// Replicas: looks at standbys that were named by address, each on a session and in a coroutine of
// its own: one that hangs keeps neither the others nor the watching of the primary waiting.
//
// What was seen goes into Memory::replicas. A standby that does not answer has `trouble` there,
// and is tried again for as long as it is asked for.
#pragma once

#include <set>
#include <string>

#include "engine/async/task_group.h"
#include "engine/watch/signal.h"

namespace pgalter::watch {

class Replicas {
 public:
  // `options` and `memory` outlive the coroutines that Follow spawns.
  Replicas(const WatchOptions& options, Memory& memory, guard::SessionOptions like);

  // User and database of the primary's session: what a standby's conninfo leaves out.
  void Inherit(const std::string& user, const std::string& database);
  // Once each, one after the other.
  Task<> LookOnce();
  // Begins to follow those that are asked for and not followed yet. One that is asked for no more
  // is left by itself.
  void Follow(async::TaskGroup& group, Milliseconds interval);
  // All, after the next look at the latest.
  void Leave() { leaves_ = true; }

 private:
  Task<> FollowOne(std::string conninfo, Milliseconds interval);
  Task<> Look(guard::Session& session, std::string conninfo);
  Task<guard::Session> Open(std::string conninfo);

  const WatchOptions& options_;
  Memory& memory_;
  guard::SessionOptions like_;
  std::string user_;
  std::string database_;
  std::set<std::string, std::less<>> followed_;
  bool leaves_ = false;
};

}  // namespace pgalter::watch
