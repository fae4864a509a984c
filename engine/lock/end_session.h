// Ending what stands in others' way, because somebody has said so: its statement, or all of it.
#pragma once

#include <optional>
#include <string>

#include "engine/lock/locks_view.h"

namespace pgalter::lock {

enum class Ending : std::uint8_t { kCancel, kTerminate };

// Why nobody ends this one from here; empty: it may be. Pure.
[[nodiscard]] std::string WhyNotEnd(const SessionInfo& session);

// The node of that pid, anywhere in the trees; null: there is none. Pure.
[[nodiscard]] const LockNode* FindNode(const std::vector<LockNode>& trees, int pid);

// That very session, never one that has got its pid since. False: it is gone. Throws pg::PgError
// (42501) without the right.
Task<bool> EndSession(guard::Session& observer, const SessionInfo& session, Ending ending);

}  // namespace pgalter::lock
