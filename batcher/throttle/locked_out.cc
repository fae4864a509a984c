#include "batcher/throttle/locked_out.h"

namespace pgalter::throttle {

namespace {

// pg_partition_tree() would wait for the very lock.
constexpr const char* kWho = R"sql(
WITH RECURSIVE tree AS (
  SELECT to_regclass(nullif($1, ''))::oid AS relid
  UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON i.inhparent = t.relid
), stored AS (
  SELECT relid FROM tree
  UNION SELECT c.reltoastrelid FROM pg_class c JOIN tree t ON c.oid = t.relid
), held AS (
  SELECT relid FROM stored
  UNION SELECT i.indexrelid FROM pg_index i JOIN stored s ON i.indrelid = s.relid
)
SELECT string_agg(DISTINCT format('%s %s ACCESS EXCLUSIVE on %s',
    CASE WHEN l.pid IS NULL THEN 'a prepared transaction'
         ELSE format('pid %s (%s)', l.pid, coalesce(nullif(a.application_name, ''), 'no name')) END,
    CASE WHEN l.granted THEN 'holds' ELSE 'waits for' END, l.relation::regclass), ', ')
FROM pg_locks l JOIN held h ON h.relid = l.relation
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
  AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
  AND l.pid IS DISTINCT FROM pg_backend_pid()
)sql";

}  // namespace

async::Task<std::string> WhoLocksOut(guard::Session& session, const std::string& table) {
  const pg::Result who = co_await session.db().Query(kWho, table);
  co_return who.Get<std::optional<std::string>>(0, 0).value_or("");
}

}  // namespace pgalter::throttle
