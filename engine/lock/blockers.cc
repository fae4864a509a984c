#include "engine/lock/blockers.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "planner/sql/statement.h"

namespace pgalter::lock {

namespace {

// One row for every lock that a blocker has, or waits for, on the object that the waiter wants;
// which of them is in the way is decided here, not in SQL. Locks on a table of another database
// have a number, but no name. A prepared transaction has no pid, and its virtualtransaction changes
// with a restart: it is known by the lock on its own number. (Subtransactions have such locks too;
// these match no prepared transaction.)
constexpr const char* kWaitEdges = R"sql(
WITH lock AS MATERIALIZED (
  SELECT l.* FROM pg_locks l
), wanted AS MATERIALIZED (
  SELECT l.* FROM lock l
  WHERE NOT l.granted AND l.pid IS NOT NULL AND ($1::int IS NULL OR l.pid = $1)
), edge AS MATERIALIZED (
  SELECT DISTINCT w.pid AS waiter, b.pid AS blocker
  FROM wanted w CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS b (pid)
), here AS (
  SELECT d.oid FROM pg_database d WHERE d.datname = current_database()
)
SELECT e.waiter, e.blocker, w.locktype, w.mode, h.mode, h.granted,
       CASE WHEN c.oid IS NOT NULL THEN format('%I.%I', n.nspname, c.relname) END,
       (extract(epoch FROM clock_timestamp() - w.waitstart) * 1000)::bigint,
       coalesce(c.relfrozenxid <> '0'::xid AND age(c.relfrozenxid) > coalesce(
           (SELECT o.option_value::int FROM pg_options_to_table(c.reloptions) o
            WHERE o.option_name = 'autovacuum_freeze_max_age'),
           current_setting('autovacuum_freeze_max_age')::int), false)
         OR coalesce(c.relminmxid <> '0'::xid AND mxid_age(c.relminmxid) > coalesce(
           (SELECT o.option_value::int FROM pg_options_to_table(c.reloptions) o
            WHERE o.option_name = 'autovacuum_multixact_freeze_max_age'),
           current_setting('autovacuum_multixact_freeze_max_age')::int), false),
       p.gid, p.owner, (extract(epoch FROM clock_timestamp() - p.prepared) * 1000)::bigint
FROM edge e
JOIN wanted w ON w.pid = e.waiter
CROSS JOIN here
JOIN pg_stat_activity s ON s.pid = e.waiter AND ($1::int IS NOT NULL OR s.datid = here.oid)
LEFT JOIN lock h
  ON (h.locktype, h.database, h.relation, h.page, h.tuple, h.virtualxid, h.transactionid,
      h.classid, h.objid, h.objsubid)
     IS NOT DISTINCT FROM
     (w.locktype, w.database, w.relation, w.page, w.tuple, w.virtualxid, w.transactionid,
      w.classid, w.objid, w.objsubid)
 AND (h.pid = e.blocker OR (h.pid IS NULL AND e.blocker = 0))
LEFT JOIN lock x
  ON e.blocker = 0 AND x.pid IS NULL AND x.locktype = 'transactionid' AND x.granted
 AND x.virtualtransaction = h.virtualtransaction
LEFT JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
LEFT JOIN pg_class c ON c.oid = w.relation AND w.database IN (here.oid, 0)
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY e.waiter, e.blocker, p.gid
)sql";

constexpr const char* kSessions = R"sql(
SELECT a.pid, a.backend_type, a.usename, a.application_name, host(a.client_addr), a.state,
       a.wait_event_type || ': ' || a.wait_event, extract(epoch FROM a.backend_start)::text,
       (extract(epoch FROM clock_timestamp() - a.xact_start) * 1000)::bigint,
       (extract(epoch FROM clock_timestamp() - a.state_change) * 1000)::bigint,
       a.query, a.usesysid IS NOT NULL
FROM pg_stat_activity a WHERE a.pid = ANY ($1::int[])
)sql";

// Only locks on the same relations: asking for each waiting session of a busy server would itself
// hold up the lock table.
constexpr const char* kQueuedBehind = R"sql(
SELECT count(DISTINCT l.pid)
FROM pg_locks mine
JOIN pg_locks l ON l.locktype = 'relation' AND l.database = mine.database
               AND l.relation = mine.relation AND l.pid <> mine.pid AND NOT l.granted
WHERE mine.pid = $1 AND mine.locktype = 'relation' AND $1 = ANY (pg_blocking_pids(l.pid))
)sql";

// A table that was created in the session's transaction is nobody's yet: the observer's snapshot
// does not have it.
constexpr const char* kInTheWay = R"sql(
WITH lock AS MATERIALIZED (
  SELECT l.* FROM pg_locks l
), mine AS MATERIALIZED (
  SELECT * FROM lock WHERE pid = $1 AND granted
)
SELECT coalesce((
    SELECT max(extract(epoch FROM clock_timestamp() - w.waitstart) * 1000)::bigint
    FROM lock w
    WHERE NOT w.granted AND w.pid <> $1 AND EXISTS (
      SELECT FROM mine WHERE mine.locktype = w.locktype AND (
        mine.locktype = 'relation' AND mine.database = w.database AND mine.relation = w.relation
        OR mine.locktype = 'transactionid' AND mine.transactionid = w.transactionid))
    AND $1 = ANY (pg_blocking_pids(w.pid))), 0),
  EXISTS (
    SELECT FROM mine JOIN pg_class c ON c.oid = mine.relation
    WHERE mine.locktype = 'relation' AND c.relkind IN ('r', 'p', 'm')
      AND c.relnamespace <> 'pg_catalog'::regnamespace
      AND mine.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
      AND mine.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
                        'AccessExclusiveLock'))
)sql";

constexpr const char* kTerminateIdle = R"sql(
SELECT pg_terminate_backend(a.pid)
FROM pg_stat_activity a
WHERE a.pid = $1 AND extract(epoch FROM a.backend_start)::text = $2
  AND a.backend_type = 'client backend'
  AND a.state IN ('idle in transaction', 'idle in transaction (aborted)')
  AND clock_timestamp() - a.state_change >= make_interval(secs => $3::int)
)sql";

struct Session {
  SessionInfo info;
  SessionTraits traits;
};

std::string Text(const pg::Result& rows, int row, int column) {
  return rows.Get<std::optional<std::string>>(row, column).value_or("");
}

std::optional<Milliseconds> Age(const pg::Result& rows, int row, int column) {
  const auto age = rows.Get<std::optional<std::int64_t>>(row, column);
  if (!age) return std::nullopt;
  return Milliseconds(std::max<std::int64_t>(*age, 0));
}

Session ReadSession(const pg::Result& rows, int row) {
  Session session;
  SessionTraits& traits = session.traits;
  traits.backend_type = Text(rows, row, 1);
  traits.application_name = Text(rows, row, 3);
  traits.query = Text(rows, row, 10);
  traits.has_user = rows.Get<bool>(row, 11);
  SessionInfo& info = session.info;
  info.pid = rows.Get<std::int32_t>(row, 0);
  info.user = Text(rows, row, 2);
  info.application_name = traits.application_name;
  info.client_address = Text(rows, row, 4);
  info.state = Text(rows, row, 5);
  info.wait_event = Text(rows, row, 6);
  info.backend_start = Text(rows, row, 7);
  info.transaction_age = Age(rows, row, 8);
  info.state_age = Age(rows, row, 9);
  info.kind = KindOf(traits);
  const bool hidden = traits.backend_type.empty();
  if (!hidden) info.query = sql::NormaliseStatement(traits.query);
  return session;
}

// Whether this lock stands in the way more than the other one.
bool IsStronger(const LockInfo& a, const LockInfo& b, std::optional<locks::LockMode> wanted) {
  const auto weight = [&](const LockInfo& lock) {
    const bool conflicts = lock.mode && wanted && locks::Conflicts(*lock.mode, *wanted);
    return std::tuple(conflicts, lock.granted, lock.mode);
  };
  return weight(a) > weight(b);
}

bool IsInTheWay(const LockInfo& lock, std::optional<locks::LockMode> wanted) {
  return !lock.mode || !wanted || locks::Conflicts(*lock.mode, *wanted);
}

SessionInfo PreparedTransaction(const pg::Result& rows, int row) {
  SessionInfo info;
  info.kind = BlockerKind::kPreparedTransaction;
  info.prepared_gid = Text(rows, row, 9);
  info.user = Text(rows, row, 10);
  info.transaction_age = Age(rows, row, 11);
  return info;
}

struct Edge {
  WaitEdge public_part;
  bool wraparound_due = false;
};

Edge ReadEdge(const pg::Result& rows, int row) {
  Edge edge;
  WaitEdge& wait = edge.public_part;
  wait.waiter = rows.Get<std::int32_t>(row, 0);
  wait.wanted.lock_type = Text(rows, row, 2);
  wait.wanted.relation = Text(rows, row, 6);
  wait.wanted.mode = locks::FromServerName(Text(rows, row, 3));
  wait.wanted.granted = false;
  wait.waiting_for = Age(rows, row, 7);
  wait.blocker.lock = wait.wanted;
  wait.blocker.lock.mode = locks::FromServerName(Text(rows, row, 4));
  wait.blocker.lock.granted = rows.Get<std::optional<bool>>(row, 5).value_or(true);
  wait.blocker.session.pid = rows.Get<std::int32_t>(row, 1);
  if (wait.blocker.session.pid == 0) wait.blocker.session = PreparedTransaction(rows, row);
  edge.wraparound_due = rows.Get<bool>(row, 8);
  return edge;
}

// Rows of the same waiter and blocker are together: the strongest lock of each pair is kept.
std::vector<Edge> ReadEdges(const pg::Result& rows) {
  std::vector<Edge> edges;
  for (int row = 0; row < rows.rows(); ++row) {
    Edge next = ReadEdge(rows, row);
    const auto wanted = next.public_part.wanted.mode;
    const Blocker& blocker = next.public_part.blocker;
    // The server names every prepared transaction by the same 0: those in the way are told here.
    if (blocker.session.pid == 0 && !IsInTheWay(blocker.lock, wanted)) continue;
    const bool again =
        !edges.empty() && edges.back().public_part.waiter == next.public_part.waiter &&
        edges.back().public_part.blocker.session.pid == blocker.session.pid &&
        edges.back().public_part.blocker.session.prepared_gid == blocker.session.prepared_gid;
    if (!again) {
      edges.push_back(std::move(next));
    } else if (IsStronger(blocker.lock, edges.back().public_part.blocker.lock, wanted)) {
      edges.back().public_part.blocker.lock = blocker.lock;
    }
  }
  return edges;
}

std::vector<std::int64_t> PidsOf(const std::vector<Edge>& edges) {
  std::set<std::int64_t> pids;
  for (const Edge& edge : edges) {
    pids.insert(edge.public_part.waiter);
    pids.insert(edge.public_part.blocker.session.pid);
  }
  return {pids.begin(), pids.end()};
}

}  // namespace

Task<std::vector<WaitEdge>> ReadWaitEdges(guard::Session& observer,
                                          std::optional<int> waiting_pid) {
  std::vector<WaitEdge> complete;
  const pg::Result rows = co_await observer.db().Query(kWaitEdges, waiting_pid);
  const std::vector<Edge> edges = ReadEdges(rows);
  if (edges.empty()) co_return complete;

  const auto pids = PidsOf(edges);
  const pg::Result session_rows = co_await observer.db().Query(kSessions, pids);
  std::map<int, Session> sessions;
  for (int row = 0; row < session_rows.rows(); ++row) {
    Session session = ReadSession(session_rows, row);
    sessions.emplace(session.info.pid, std::move(session));
  }
  for (const Edge& edge : edges) {
    WaitEdge wait = edge.public_part;
    const auto waiter = sessions.find(wait.waiter);
    if (waiter == sessions.end()) continue;  // gone since the first query
    wait.waiting_session = waiter->second.info;
    if (wait.blocker.session.kind != BlockerKind::kPreparedTransaction) {
      const auto found = sessions.find(wait.blocker.session.pid);
      if (found == sessions.end()) continue;
      SessionTraits traits = found->second.traits;
      traits.lock_mode = wait.blocker.lock.mode;
      traits.wraparound_due = edge.wraparound_due;
      wait.blocker.session = found->second.info;
      wait.blocker.session.kind = KindOf(traits);
    }
    complete.push_back(std::move(wait));
  }
  co_return complete;
}

Task<InTheWay> LookInTheWay(guard::Session& observer, int holding_pid) {
  const pg::Result row = co_await observer.db().Query(kInTheWay, holding_pid);
  InTheWay seen;
  seen.longest_wait = Milliseconds(row.Get<std::int64_t>(0, 0));
  seen.stops_users = row.Get<bool>(0, 1);
  co_return seen;
}

Task<Blockage> FindBlockers(guard::Session& observer, int waiting_pid) {
  Blockage blockage;
  auto edges = co_await ReadWaitEdges(observer, waiting_pid);
  for (WaitEdge& edge : edges) blockage.blockers.push_back(std::move(edge.blocker));
  const pg::Result behind = co_await observer.db().Query(kQueuedBehind, waiting_pid);
  blockage.queued_behind = static_cast<int>(behind.Get<std::int64_t>(0, 0));
  co_return blockage;
}

Task<Termination> TerminateIdle(guard::Session& observer, const SessionInfo& session,
                                std::chrono::seconds idle_for) {
  try {
    const pg::Result done = co_await observer.db().Query(kTerminateIdle, session.pid,
                                                         session.backend_start, idle_for.count());
    co_return done.empty() ? Termination::kNotIdleAnyMore : Termination::kTerminated;
  } catch (const pg::PgError& error) {
    if (error.klass() != pg::SqlstateClass::kNoRight) throw;
  }
  co_return Termination::kNoRight;
}

}  // namespace pgalter::lock
