// One LOCK TABLE for all tables that a transaction needs: never one after another, never an
// upgrade, both of which deadlock with users.
#pragma once

#include <string>
#include <vector>

#include "engine/guard/session.h"
#include "planner/locks/lock_mode.h"
#include "planner/sql/identifier.h"

namespace pgalter::lock {

using async::Task;

struct LockRequest {
  std::vector<sql::QualifiedName> tables;  // in the order to lock: referenced tables first
  locks::LockMode mode = locks::LockMode::kAccessExclusive;
};

// "LOCK TABLE a, b IN ACCESS EXCLUSIVE MODE". A partitioned table brings its partitions along.
[[nodiscard]] std::string LockStatement(const LockRequest& request);

// Inside a transaction that has a lock_timeout. Throws pg::PgError (55P03) when that runs out.
Task<> LockTables(guard::Session& session, LockRequest request);

}  // namespace pgalter::lock
