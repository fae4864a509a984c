#include "engine/lock/locks_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace pgalter::lock {

namespace {

// Prepared transactions all have pid 0.
using Key = std::pair<int, std::string>;

Key KeyOf(const SessionInfo& session) { return {session.pid, session.prepared_gid}; }

class Forest {
 public:
  explicit Forest(const std::vector<WaitEdge>& edges) {
    for (const WaitEdge& edge : edges) Add(edge);
  }

  std::vector<LockNode> Grow() {
    for (const auto& [waiter, edge] : parent_edge_)
      waiters_of_[KeyOf(edge->blocker.session)].push_back(waiter);
    std::vector<LockNode> roots;
    for (const auto& [key, node] : nodes_)
      if (!parent_edge_.contains(key)) roots.push_back(Take(key));
    // What is left waits in a circle, until the server looks for deadlocks.
    for (const auto& [key, node] : nodes_)
      if (!taken_.contains(key)) roots.push_back(Take(key));
    return roots;
  }

 private:
  void Add(const WaitEdge& edge) {
    const Key blocker = KeyOf(edge.blocker.session);
    const Key waiter = KeyOf(edge.waiting_session);
    nodes_[blocker].session = edge.blocker.session;
    LockNode& node = nodes_[waiter];
    node.session = edge.waiting_session;
    node.wanted = edge.wanted;
    node.waiting_for = edge.waiting_for;
    node.blocked_by.push_back(edge.blocker.session.pid);
    const WaitEdge*& parent = parent_edge_[waiter];
    if (parent == nullptr || (edge.blocker.lock.granted && !parent->blocker.lock.granted))
      parent = &edge;
  }

  LockNode Take(const Key& key) {
    taken_.insert(key);
    LockNode node = nodes_.at(key);
    for (const Key& waiter : waiters_of_[key]) {
      if (taken_.contains(waiter)) continue;
      LockNode child = Take(waiter);
      child.in_the_way = parent_edge_.at(waiter)->blocker.lock;
      node.waiters.push_back(std::move(child));
    }
    return node;
  }

  std::map<Key, LockNode> nodes_;
  std::map<Key, const WaitEdge*> parent_edge_;
  std::map<Key, std::vector<Key>> waiters_of_;
  std::set<Key> taken_;
};

bool Concerns(const LockNode& node, const std::string& relation) {
  return (node.wanted && node.wanted->relation == relation) ||
         std::ranges::any_of(node.waiters,
                             [&](const LockNode& child) { return Concerns(child, relation); });
}

Task<std::string> NameOf(guard::Session& observer, sql::QualifiedName table) {
  const std::string text = sql::ToString(table);
  const pg::Result name = co_await observer.db().Query(
      "SELECT format('%I.%I', n.nspname, c.relname)"
      " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
      " WHERE c.oid = pg_catalog.to_regclass($1)",
      text);
  if (!name.empty()) co_return name.Get<std::string>(0, 0);
  pg::PgErrorFields fields;
  fields.sqlstate = pg::sqlstate::kUndefinedTable;
  fields.message = fmt::format("there is no table {} in this database", text);
  throw pg::PgError(std::move(fields));
}

}  // namespace

std::vector<LockNode> WaitTrees(const std::vector<WaitEdge>& edges) { return Forest(edges).Grow(); }

Task<std::vector<LockNode>> ReadLocks(guard::Session& observer,
                                      std::optional<sql::QualifiedName> table) {
  std::string relation;
  if (table) relation = co_await NameOf(observer, *table);
  const std::vector<WaitEdge> edges = co_await ReadWaitEdges(observer, std::nullopt);
  std::vector<LockNode> trees = WaitTrees(edges);
  if (table) std::erase_if(trees, [&](const LockNode& tree) { return !Concerns(tree, relation); });
  co_return trees;
}

}  // namespace pgalter::lock
