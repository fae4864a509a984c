// One attempt of a ladder: one transaction, watched by the observer. Internal to engine/lock.
//
// Server-side timeouts bound everything, so that a frozen client cannot block users: the wait, each
// statement, and an idle transaction. Ours cut sooner.
#pragma once

#include "engine/lock/blockers.h"
#include "engine/lock/ladder_policy.h"
#include "engine/lock/work.h"

namespace pgalter::lock {

enum class AttemptEnd : std::uint8_t { kDone, kLockNotAvailable, kDeadlock, kHoldOverrun };

struct AttemptLimits {
  Milliseconds lock_timeout;
  Milliseconds hold_budget;
};

struct AttemptReport {
  AttemptEnd end = AttemptEnd::kDone;
  Milliseconds waited{0};      // from asking for the lock to having it, or to giving up
  Milliseconds held{0};        // from having it to letting users go on
  Blockage seen;               // while we waited
  std::string observer_error;  // why nobody was seen
  std::string refusal;         // why no lock was asked for; empty: it was
};

// Errors that are not about locks are thrown. The session is idle afterwards, or closed.
Task<AttemptReport> RunAttempt(guard::Session& session, guard::Session& observer, const Work& work,
                               AttemptLimits limits);

}  // namespace pgalter::lock
