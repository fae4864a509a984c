#include "batcher/cutover/coming.h"

#include <fmt/format.h>

#include <utility>

namespace pgalter::cutover {

namespace {

// free: nothing in the schema ($2, quoted) has the name of the partition, of one of its indexes, of
// its row type or of the type of arrays of that, which gives way to nobody when it moves. What else
// the partition takes along has names of its own (TOAST) or none.
constexpr const char* kPartitions = R"sql(
WITH RECURSIVE tree (oid, relkind, depth) AS (
  SELECT oid, relkind, 0 FROM pg_class WHERE oid = $1
  UNION ALL
  SELECT c.oid, c.relkind, t.depth + 1
  FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid AND NOT i.inhdetachpending
  JOIN pg_class c ON c.oid = i.inhrelid
  WHERE t.relkind = 'p'),
named (root, relname) AS (
  SELECT t.oid, c.relname FROM tree t JOIN pg_class c USING (oid)
  UNION ALL
  SELECT t.oid, c.relname FROM tree t JOIN pg_index x ON x.indrelid = t.oid
  JOIN pg_class c ON c.oid = x.indexrelid),
typed (root, typname) AS (
  SELECT t.oid, y.typname FROM tree t JOIN pg_class c USING (oid)
  JOIN pg_type r ON r.oid = c.reltype JOIN pg_type y ON y.oid IN (r.oid, r.typarray)),
taken (root) AS (
  SELECT d.root FROM pg_namespace n JOIN pg_class o ON o.relnamespace = n.oid
  JOIN named d ON d.relname = o.relname WHERE quote_ident(n.nspname) = $2
  UNION ALL
  SELECT d.root FROM pg_namespace n JOIN pg_type o ON o.typnamespace = n.oid
  JOIN typed d USING (typname) WHERE quote_ident(n.nspname) = $2)
SELECT format('%I.%I', n.nspname, c.relname), quote_ident(n.nspname) = $2,
       t.oid NOT IN (SELECT root FROM taken)
FROM tree t JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE t.depth > 0 ORDER BY t.oid
)sql";

// The attempt's limits are for what users wait for: a thousand partitions may take longer.
constexpr const char* kNoHurry =
    "SELECT pg_catalog.set_config('statement_timeout', '0', true),"
    " pg_catalog.set_config('lock_timeout', '50ms', true)";

Task<> Move(Session& session, std::string table, pg::Oid oid, std::string schema) {
  std::vector<pg::Statement> opening{{kNoHurry, {}}};
  opening.push_back({fmt::format("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", table), {}});
  co_await session.db().Pipeline(std::move(opening));
  const pg::Result rows = co_await session.db().Query(kPartitions, oid, schema);
  std::vector<pg::Statement> moves;
  for (int i = 0; i < rows.rows(); ++i)
    if (rows.Get<bool>(i, 2))
      moves.push_back(
          {fmt::format("ALTER TABLE {} SET SCHEMA {}", rows.Get<std::string>(i, 0), schema), {}});
  if (!moves.empty()) co_await session.db().Pipeline(std::move(moves));
}

}  // namespace

Task<Coming> ReadComing(Session& session, pg::Oid oid, std::string schema) {
  const pg::Result rows = co_await session.db().Query(kPartitions, oid, schema);
  Coming coming;
  for (int i = 0; i < rows.rows(); ++i) {
    auto name = rows.Get<std::string>(i, 0);
    if (!rows.Get<bool>(i, 1)) coming.unmoved.push_back(name);
    coming.partitions.push_back(std::move(name));
  }
  co_return coming;
}

Task<> MoveAhead(Session& session, std::string table, pg::Oid oid, std::string schema) {
  const pg::Result limits = co_await session.db().Query(
      "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')");
  co_await session.db().Query("SAVEPOINT move_ahead");
  bool refused = false;
  try {
    co_await Move(session, table, oid, schema);
  } catch (const pg::PgError& error) {
    if (!session.open() || error.klass() != pg::SqlstateClass::kLockNotAvailable) throw;
    refused = true;
  }
  std::vector<pg::Statement> closing;
  if (refused) closing.push_back({"ROLLBACK TO SAVEPOINT move_ahead", {}});
  closing.push_back({"RELEASE SAVEPOINT move_ahead", {}});
  closing.push_back(
      {"SELECT pg_catalog.set_config('statement_timeout', $1, true),"
       " pg_catalog.set_config('lock_timeout', $2, true)",
       pg::Params::Of(limits.Get<std::string>(0, 0), limits.Get<std::string>(0, 1))});
  co_await session.db().Pipeline(std::move(closing));
}

}  // namespace pgalter::cutover
