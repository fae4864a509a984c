#include "batcher/backfill/window_store.h"

#include "engine/guard/transaction.h"

namespace pgalter::backfill {

namespace {

// A run of windows without a hole between them is one island; each becomes its first row.
constexpr const char* kFold = R"sql(
WITH done AS (
  SELECT first_block, end_block, updated_rows,
         first_block IS DISTINCT FROM lag(end_block) OVER (ORDER BY first_block) AS starts
  FROM pgalter.backfill_window
  WHERE run = $1 AND relid = $2 AND passes = stripes
), island AS (
  SELECT *, count(*) FILTER (WHERE starts) OVER (ORDER BY first_block) AS number FROM done
), folded AS (
  SELECT min(first_block) AS first_block, max(end_block) AS end_block,
         sum(updated_rows)::bigint AS updated_rows
  FROM island GROUP BY number HAVING count(*) > 1
), gone AS (
  DELETE FROM pgalter.backfill_window w USING folded f
  WHERE w.run = $1 AND w.relid = $2
    AND w.first_block > f.first_block AND w.first_block < f.end_block
)
UPDATE pgalter.backfill_window w
SET end_block = f.end_block, updated_rows = f.updated_rows, stripes = 1, passes = 1
FROM folded f
WHERE w.run = $1 AND w.relid = $2 AND w.first_block = f.first_block
)sql";

Task<> UnderLease(Session& session, const guard::Lease& lease,
                  std::vector<pg::Statement> statements) {
  auto body = [&]() -> Task<> {
    co_await guard::CheckLease(session, lease);
    for (const pg::Statement& statement : statements)
      co_await session.db().QueryParams(statement.sql, statement.params, pg::Format::kText);
  };
  co_await guard::RunInTransaction(session, body);
}

}  // namespace

Task<std::optional<Block>> RecordedBlocks(Session& session, std::string run,
                                          std::size_t relations) {
  const pg::Result known = co_await session.db().Query(
      "SELECT count(*), COALESCE(sum(blocks), 0)::int8 FROM pgalter.backfill_relation WHERE run = "
      "$1",
      run);
  std::optional<Block> blocks;
  if (known.Get<std::int64_t>(0, 0) == static_cast<std::int64_t>(relations))
    blocks = known.Get<std::int64_t>(0, 1);
  co_return blocks;
}

Task<RecordedRelation> LoadOrRecord(Session& session, const guard::Lease& lease, pg::Oid relation,
                                    pg::Oid filenode, Block blocks) {
  pg::Connection& db = session.db();
  std::vector<pg::Statement> record;
  record.push_back(
      {"INSERT INTO pgalter.backfill_relation (run, relid, filenode, blocks)"
       " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
       pg::Params::Of(lease.run, relation, filenode, blocks)});
  co_await UnderLease(session, lease, std::move(record));

  const pg::Result known = co_await db.Query(
      "SELECT filenode, blocks FROM pgalter.backfill_relation WHERE run = $1 AND relid = $2",
      lease.run, relation);
  const pg::Result rows = co_await db.Query(
      "SELECT first_block, end_block, stripes, passes, updated_rows FROM pgalter.backfill_window"
      " WHERE run = $1 AND relid = $2 ORDER BY first_block",
      lease.run, relation);
  RecordedRelation recorded;
  recorded.filenode = known.Get<pg::Oid>(0, 0);
  recorded.blocks = known.Get<std::int64_t>(0, 1);
  for (int i = 0; i < rows.rows(); ++i) {
    recorded.windows.push_back({rows.Get<std::int64_t>(i, 0), rows.Get<std::int64_t>(i, 1),
                                rows.Get<std::int32_t>(i, 2), rows.Get<std::int32_t>(i, 3)});
    recorded.updated_rows += rows.Get<std::int64_t>(i, 4);
  }
  co_return recorded;
}

Task<> StartAgain(Session& session, const guard::Lease& lease, pg::Oid relation, pg::Oid filenode,
                  Block blocks) {
  std::vector<pg::Statement> statements;
  statements.push_back({"DELETE FROM pgalter.backfill_window WHERE run = $1 AND relid = $2",
                        pg::Params::Of(lease.run, relation)});
  statements.push_back(
      {"UPDATE pgalter.backfill_relation SET filenode = $3, blocks = $4"
       " WHERE run = $1 AND relid = $2",
       pg::Params::Of(lease.run, relation, filenode, blocks)});
  co_await UnderLease(session, lease, std::move(statements));
}

Task<> RecordWindow(Session& session, const guard::Lease& lease, pg::Oid relation,
                    const Window& window, std::int64_t updated_rows) {
  co_await session.db().Query(
      "INSERT INTO pgalter.backfill_window AS w (run, relid, first_block, end_block, stripes,"
      " passes, updated_rows) VALUES ($1, $2, $3, $4, $5, $6, $7)"
      " ON CONFLICT (run, relid, first_block) DO UPDATE SET end_block = excluded.end_block,"
      " stripes = excluded.stripes, passes = excluded.passes,"
      " updated_rows = w.updated_rows + excluded.updated_rows",
      lease.run, relation, window.first, window.end, window.stripes, window.passes, updated_rows);
}

Task<> RecordSplit(Session& session, const guard::Lease& lease, pg::Oid relation, const Window& low,
                   const Window& high) {
  auto body = [&]() -> Task<> {
    co_await guard::CheckLease(session, lease);
    co_await RecordWindow(session, lease, relation, low, 0);
    co_await RecordWindow(session, lease, relation, high, 0);
  };
  co_await guard::RunInTransaction(session, body);
}

Task<> FoldWindows(Session& session, const guard::Lease& lease, pg::Oid relation) {
  std::vector<pg::Statement> fold;
  fold.push_back({kFold, pg::Params::Of(lease.run, relation)});
  co_await UnderLease(session, lease, std::move(fold));
}

Task<> ForgetWindows(Session& session, std::string run) {
  co_await session.db().Query("DELETE FROM pgalter.backfill_window WHERE run = $1", run);
  co_await session.db().Query("DELETE FROM pgalter.backfill_relation WHERE run = $1", run);
}

Task<> RecordQuarantine(Session& session, const guard::Lease& lease, pg::Oid relation,
                        std::string key, std::string sqlstate, std::string object) {
  std::vector<pg::Statement> insert;
  insert.push_back(
      {"INSERT INTO pgalter.quarantine (run, relid, key, sqlstate, object)"
       " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
       pg::Params::Of(lease.run, relation, key, sqlstate, object)});
  co_await UnderLease(session, lease, std::move(insert));
}

Task<std::vector<std::string>> QuarantinedKeys(Session& session, std::string run,
                                               pg::Oid relation) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT key FROM pgalter.quarantine WHERE run = $1 AND relid = $2", run, relation);
  std::vector<std::string> keys;
  for (int i = 0; i < rows.rows(); ++i) keys.push_back(rows.Get<std::string>(i, 0));
  co_return keys;
}

}  // namespace pgalter::backfill
