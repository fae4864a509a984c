// Which blocker may be acted on, and how. Pure.
#pragma once

#include <vector>

#include "engine/lock/blocker.h"
#include "engine/lock/ladder_policy.h"

namespace pgalter::lock {

enum class BlockerAction : std::uint8_t {
  kLeave,
  kOutwait,    // one attempt past deadlock_timeout: the server cancels it for us
  kTerminate,  // its transaction is lost
};

// Never anything but kLeave for a walsender, a backup, a prepared transaction, autovacuum against
// wraparound, a run of pgalter, or a session whose details are hidden.
[[nodiscard]] BlockerAction ActionOn(const Blocker& blocker, const LadderOptions& options);

// Outwaiting helps only when nobody else is in the way.
[[nodiscard]] bool OnlyAutovacuum(const std::vector<Blocker>& blockers);

}  // namespace pgalter::lock
