// For work in which the server waits for old snapshots while it has its lock, as DETACH PARTITION …
// FINALIZE does: it locks the partition first, and then waits for every snapshot as old as its own.
// A user who queues behind the lock has such a snapshot, so each would wait for the other until the
// attempt is over, or the server's search for deadlocks finds the user.
//
// The attempt has a snapshot of its own before it asks for the lock, waits without one until no
// other is as old, and keeps it (REPEATABLE READ) for the statement: who queues later is younger.
#pragma once

#include "engine/lock/work.h"

namespace pgalter::lock {

// Lives as long as the work; both sessions as for RunUnderLadder.
class YoungerSnapshots {
 public:
  YoungerSnapshots(guard::Session& session, guard::Session& observer)
      : session_(session), observer_(observer) {}

  // As Work::before, in a transaction that is REPEATABLE READ. Throws pg::PgError (55P03) while
  // others hold snapshots as old as ours, or new ones would be.
  Task<> Demand();

 private:
  guard::Session& session_;
  guard::Session& observer_;
  int refusals_ = 0;
};

}  // namespace pgalter::lock
