// Work: what is done under a strong lock, in one transaction.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "engine/guard/transaction.h"
#include "engine/lock/lock_tables.h"

namespace pgalter::lock {

// What ends the work once its locks were held for the hold budget.
enum class Ending : std::uint8_t {
  kAtBudget,  // also by the server, whatever becomes of us
  // As far as is known its locks stop nobody: only once somebody has waited for that long, or a
  // lock on somebody else's table that would make users wait was seen for that long.
  kWhenInTheWay,
};

struct Work {
  Ending ending = Ending::kAtBudget;
  guard::Isolation isolation = guard::Isolation::kReadCommitted;
  // kLazy: users go on before the disk has the commit, and no synchronous standby keeps them
  // waiting. What they then write durably takes it along, as the log is flushed in its order
  // (xact.c, RecordTransactionCommit). Whoever asks for it ends with a flushed transaction.
  guard::Durability durability = guard::Durability::kFlushed;
  // Before each attempt, in no transaction of its session: what would otherwise have piled up under
  // the lock.
  std::function<Task<>()> ahead;
  // In the transaction, before the lock is asked for: what throws here as a lock that is not to be
  // had (55P03) makes another attempt, and has kept nobody waiting.
  std::function<Task<>()> before;
  // Taken first, in one statement. Without it the statements take their own locks, and how long
  // these were held is known only as an upper bound.
  std::optional<LockRequest> lock;
  // The views that it takes besides, as they are when an attempt asks for it.
  std::function<Task<std::vector<View>>()> views;
  std::vector<pg::Statement> statements;  // sent together, in one round trip
  // Run again in every attempt, so what they change outside the database must bear it.
  std::function<Task<>()> body;    // after the statements
  std::function<Task<>()> record;  // last: what a step writes about itself
};

}  // namespace pgalter::lock
