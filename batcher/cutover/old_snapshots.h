// Changes of schema are not subject to snapshots: whoever holds one from before a cut-over would
// not see the rows that another table has got since, and silently change none of them.
#pragma once

#include "engine/guard/session.h"

namespace pgalter::cutover {

// Inside an attempt of the lock ladder: before the lock is asked for, and again under it. (A
// session that was idle before may wait for the lock then, which looks like any other waiting.)
// Such a session counts as a lock that is not to be had, so the attempt is repeated: throws
// pg::PgError (55P03). Of sessions that are hidden from this role nothing is known.
async::Task<> AwaitOldSnapshots(guard::Session& session);

}  // namespace pgalter::cutover
