// Catch-up: what users changed meanwhile, taken from the log and applied. One session at a time
// works on a flow.
//
// The log is consumed as a set, never by a number: by pairs of snapshots. What a later snapshot
// sees as ended and an earlier one did not is new, whatever the order in which it was written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "batcher/capture/flow.h"
#include "engine/guard/lease.h"
#include "engine/guard/role_settings.h"

namespace pgalter::capture {

struct Taken {
  std::int64_t keys = 0;   // that were not dirty before
  bool truncated = false;  // `to` was emptied
};

// From the log into the dirty keys; a TRUNCATE empties `to`. In the caller's transaction, after the
// lease check and before anything is written.
Task<Taken> TakeChanges(Session& session, const Flow& flow);

// A key whose row `to` does not take beside all others, in one snapshot: rows that only wait for
// one another fit together. nullopt: all fit, and are applied.
struct BadKey {
  std::string key;  // "(id) = (5)"
  pg::PgError error;
};
Task<std::optional<BadKey>> FindBadKey(Session& session, const Flow& flow,
                                       const guard::Lease& lease);

// From the log into the dirty keys, and out of the log, so that it does not grow with every change
// of a row that changes often. Nothing is applied, so it may be done while `to` is copied; a
// TRUNCATE empties `to`, and what was written after it is in the log. How many keys were not dirty
// before.
Task<std::int64_t> FoldLog(Session& session, const Flow& flow, const guard::Lease& lease);

struct Round {
  std::int64_t taken = 0;
  std::int64_t applied = 0;
  bool whole = false;  // no dirty key is left
};
// Takes, applies what is dirty in transactions of their own for about `longest`, and takes away
// what of the log has been taken. Throws guard::LeaseLost.
Task<Round> CatchUp(Session& session, const Flow& flow, const guard::Lease& lease,
                    async::Milliseconds longest);

// Everything, in the caller's transaction, users' code under `settings`, or under the session's own
// where these are none. Under a lock that lets no writer in, nothing is pending
// afterwards; in one of REPEATABLE READ `to` is what `from` was in its snapshot. How many keys.
Task<std::int64_t> Drain(Session& session, const Flow& flow, guard::Settings settings = {});
// All statements of Drain, of which none applies a key: for the plans of them, in a transaction or
// savepoint that is rolled back.
Task<> RehearseDrain(Session& session, const Flow& flow, guard::Settings settings = {});

}  // namespace pgalter::capture
