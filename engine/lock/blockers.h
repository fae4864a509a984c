// Who stands between a waiting session and its lock, asked on another connection.
//
// pg_blocking_pids names those that hold a conflicting lock and those that wait for one ahead of us
// in the queue. Nothing here waits for a lock on the table in question.
#pragma once

#include <vector>

#include "engine/guard/session.h"
#include "engine/lock/blocker.h"

namespace pgalter::lock {

using async::Task;

struct Blockage {
  std::vector<Blocker> blockers;
  int queued_behind = 0;  // sessions that wait for the waiting one
};

// Empty when `waiting_pid` waits for nothing (any more).
Task<Blockage> FindBlockers(guard::Session& observer, int waiting_pid);

// What a session that holds locks means for others, now.
struct InTheWay {
  Milliseconds longest_wait{0};  // of those that wait for the session, on a table or a row
  // It has a lock that stops readers or writers of a table which others can see.
  bool stops_users = false;
};
Task<InTheWay> LookInTheWay(guard::Session& observer, int holding_pid);

// One waiter and one who is in its way.
struct WaitEdge {
  int waiter = 0;
  LockInfo wanted;
  std::optional<Milliseconds> waiting_for;
  SessionInfo waiting_session;
  Blocker blocker;
};

// Of one waiting session, or of all in the observer's database.
Task<std::vector<WaitEdge>> ReadWaitEdges(guard::Session& observer, std::optional<int> waiting_pid);

enum class Termination : std::uint8_t { kTerminated, kNotIdleAnyMore, kNoRight };

// Ends that very session if it has been idle in its transaction for `idle_for` at this moment.
// Callers ask ActionOn first.
Task<Termination> TerminateIdle(guard::Session& observer, const SessionInfo& session,
                                std::chrono::seconds idle_for);

}  // namespace pgalter::lock
