#pragma once

// HistoryLock: one runner at a time changes what is applied in a database. A session advisory lock
// on a session of its own, tried and never waited for in a statement: a waiting session would be in
// the way of CREATE INDEX CONCURRENTLY. It only keeps runners apart politely; what two of them
// would do at once is refused by the primary key of pgalter.migration and by the lease of the run.

#include <cstdint>
#include <string>

#include "engine/guard/session.h"

namespace pgalter::history {

using async::Task;

class [[nodiscard]] HistoryLock {
 public:
  // `session` is for nothing else from now on. Throws run::Failure (lock not obtained) after
  // `limit`, naming who has it.
  static Task<HistoryLock> Acquire(guard::Session session, async::Milliseconds limit);

  // Besides, the lock that another tool takes while it works, so that it does not meanwhile. Throws
  // as above.
  Task<> TakeAlso(std::int64_t key, std::string tool, async::Milliseconds limit);

 private:
  explicit HistoryLock(guard::Session session) : session_(std::move(session)) {}

  guard::Session session_;  // the server frees the lock when it ends
};

}  // namespace pgalter::history
