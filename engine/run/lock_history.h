// LockHistory: looks once a beat who waits for a lock, and keeps with the run the episodes in which
// one of its sessions waits or is waited for. A wait that comes and goes between two beats is not
// seen; what blocked an attempt of ours is in the attempt's own report.
#pragma once

#include <optional>

#include "engine/async/task.h"
#include "engine/state/lock_episodes.h"

namespace pgalter::run {

using async::Task;

class LockHistory {
 public:
  explicit LockHistory(guard::Lease lease) : lease_(std::move(lease)) {}

  // Never the reason why a run ends: a right that is missing only ends the history.
  Task<> Look(guard::Session& session, std::string step);

 private:
  Task<> LookOrThrow(guard::Session& session, std::string step);
  Task<> Close(guard::Session& session);

  guard::Lease lease_;
  std::optional<bool> kept_;  // whether this schema has a place for them
  std::optional<state::LockEpisode> open_;
  async::Clock::time_point began_;
};

}  // namespace pgalter::run
