// The lease: who may move rows for a run. A row with an epoch; taking over is the next epoch.
//
// Every transaction that moves rows begins with CheckLease, in a statement of its own. A takeover
// therefore waits for transactions in flight, and those that come later find no row. (Checking and
// locking in one statement, a STABLE function, or REPEATABLE READ with an advisory lock read the
// old epoch: measured.)
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "engine/guard/session.h"

namespace pgalter::guard {

struct Lease {
  std::string run;
  std::int64_t epoch = 0;
};

class LeaseLost : public std::runtime_error {
 public:
  explicit LeaseLost(const Lease& lease);
};

// Inside a transaction. Throws LeaseLost when another runner has taken over.
Task<> CheckLease(Session& session, const Lease& lease);

// The next epoch for `run`, committed when this returns. Polls for the row with NOWAIT, since
// waiting would hold a snapshot and could deadlock with an orphan's CREATE INDEX CONCURRENTLY.
// Throws pg::PgError: 55P03 when an older transaction still holds the row after `limit`, 02000 when
// there is no such run. `owner` is unique to the runner; with kOnlyOwn it must be the owner
// already, or LeaseLost is thrown: a runner that lost its connection must not take the run back
// from its successor.
enum class Takeover { kFromAnybody, kOnlyOwn };
Task<Lease> TakeLease(Session& session, std::string run, std::string owner, Milliseconds limit,
                      Takeover takeover = Takeover::kFromAnybody);

}  // namespace pgalter::guard
