// One statement for all that a transaction needs, LOCK TABLE where there are no views: never one
// after another, never an upgrade, both of which deadlock with users.
#pragma once

#include <string>
#include <vector>

#include "engine/guard/session.h"
#include "planner/locks/lock_mode.h"
#include "planner/sql/identifier.h"

namespace pgalter::lock {

using async::Task;

// A view, materialized or not. LOCK TABLE does not take the one, and takes all tables that the
// other reads; ALTER locks it alone, and to put it where it is changes nothing. (An owner would be
// set back to who it was when it was read.)
struct View {
  std::string name;    // quoted, with its schema
  std::string schema;  // quoted
  bool operator==(const View&) const = default;
};

struct LockRequest {
  // Before the tables: whoever reads through one has locked it before them. ACCESS EXCLUSIVE.
  std::vector<View> views;
  std::vector<sql::QualifiedName> tables;  // in the order to lock: referenced tables first
  locks::LockMode mode = locks::LockMode::kAccessExclusive;
};

// "LOCK TABLE a, b IN ACCESS EXCLUSIVE MODE". A partitioned table brings its partitions along. A
// view that is not there any more fails as a lock that is not to be had (55P03).
[[nodiscard]] std::string LockStatement(const LockRequest& request);

// Inside a transaction that has a lock_timeout. Throws pg::PgError (55P03) when that runs out.
Task<> LockTables(guard::Session& session, LockRequest request);

}  // namespace pgalter::lock
