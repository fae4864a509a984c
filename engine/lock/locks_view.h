// What `pgalter locks [TABLE]` shows: who waits, and behind whom. Values; cli renders them.
#pragma once

#include <optional>
#include <vector>

#include "engine/lock/blockers.h"
#include "planner/sql/identifier.h"

namespace pgalter::lock {

struct LockNode {
  SessionInfo session;
  // Of a waiter; a session at the root waits for nothing, unless all wait for each other.
  std::optional<LockInfo> wanted;
  std::optional<Milliseconds> waiting_for;
  std::optional<LockInfo> in_the_way;  // what its parent in the tree has, or waits for ahead of it
  std::vector<int> blocked_by;         // every pid in its way; 0: a prepared transaction
  std::vector<LockNode> waiters;
};

// Every session once: under one that holds what it waits for, else under one that waits ahead of
// it. Pure.
[[nodiscard]] std::vector<LockNode> WaitTrees(const std::vector<WaitEdge>& edges);

// The trees of the observer's database, or only those in which somebody waits for this table.
// Throws pg::PgError (42P01) when there is no such table.
Task<std::vector<LockNode>> ReadLocks(guard::Session& observer,
                                      std::optional<sql::QualifiedName> table);

}  // namespace pgalter::lock
