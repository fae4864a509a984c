// Changes of schema are not subject to snapshots: whoever holds one from before a cut-over would
// not see the rows that another table has got since, and silently change none of them; nor the
// values that another column has got.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::run {

// Inside an attempt of the lock ladder: before the lock is asked for, and again under it. (A
// session that was idle before may wait for the lock then, which looks like any other waiting.)
// Sessions that sit idle in a transaction with a snapshot count as a lock that is not to be had, so
// the attempt is repeated: throws pg::PgError (55P03).
async::Task<> AwaitOldSnapshots(guard::Session& session);

// Inside an attempt, as its last question: who waits for its locks with a snapshot that is older
// than what it has done, and will read by it. COPY … TO takes its snapshot before the lock that it
// waits for, whatever its isolation; so does a LOCK TABLE that has one at all (pg_dump). As of
// other statements nobody can tell, and most take another when they have the lock. Throws
// pg::PgError (55P03): they are let through first.
async::Task<> LetLateReadersThrough(guard::Session& session);

// And who is at work, with other tables, while the tables change places, and reads them afterwards
// with the snapshot of before. Of a session at work the server does not tell whether it keeps its
// snapshot (REPEATABLE READ, SERIALIZABLE) or takes another for its next statement (READ
// COMMITTED), so each is waited for that had one at a certain moment, and no other: who comes later
// sees the tables at least as they were then, and the waiting ends, however busy the server is.
class OldSnapshots {
 public:
  // The first time, in no transaction: the moment is now. All that users had changed by then has
  // been carried over, or is about to be.
  async::Task<> RememberOnce(guard::Session& session);
  // The moment is another one.
  void Forget() { transactions_.reset(); }

  // As AwaitOldSnapshots before the lock is asked for. Without a moment: for the idle alone.
  async::Task<> Await(guard::Session& session) const;

 private:
  // Those that had a snapshot then.
  std::optional<std::vector<std::string>> transactions_;
};

}  // namespace pgalter::run
