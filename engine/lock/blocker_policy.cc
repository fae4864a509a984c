#include "engine/lock/blocker_policy.h"

#include <algorithm>

namespace pgalter::lock {

namespace {

bool IsIdleInTransaction(const SessionInfo& session) {
  return session.state == "idle in transaction" || session.state == "idle in transaction (aborted)";
}

}  // namespace

BlockerAction ActionOn(const Blocker& blocker, const LadderOptions& options) {
  const SessionInfo& session = blocker.session;
  switch (options.policy) {
    case BlockerPolicy::kWait:
      return BlockerAction::kLeave;
    case BlockerPolicy::kCancelAutovacuum:
      return session.kind == BlockerKind::kAutovacuum ? BlockerAction::kOutwait
                                                      : BlockerAction::kLeave;
    case BlockerPolicy::kTerminateIdle: {
      const bool idle_for_long = IsIdleInTransaction(session) && session.state_age &&
                                 *session.state_age >= options.idle_for;
      const bool may = session.kind == BlockerKind::kClient && session.pid > 0;
      return may && idle_for_long ? BlockerAction::kTerminate : BlockerAction::kLeave;
    }
  }
  return BlockerAction::kLeave;
}

bool OnlyAutovacuum(const std::vector<Blocker>& blockers) {
  return !blockers.empty() && std::ranges::all_of(blockers, [](const Blocker& blocker) {
    return blocker.session.kind == BlockerKind::kAutovacuum;
  });
}

}  // namespace pgalter::lock
