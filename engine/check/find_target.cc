#include "engine/check/find_target.h"

#include <algorithm>
#include <optional>

namespace pgalter::check {

namespace {

// regclass is written with its schema under this search_path, so the names are resolved before.
constexpr const char* kResolve =
    "SELECT n.name, coalesce(i.indrelid, pg_catalog.to_regclass(n.name))::bigint"
    " FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY n (name, place)"
    " LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = pg_catalog.to_regclass(n.name)"
    " ORDER BY n.place";

constexpr const char* kBegin =
    "BEGIN TRANSACTION READ ONLY; SET LOCAL search_path = pg_catalog;"
    "SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '20s'";

// A size needs a lock on the table. What is locked now is not waited for: the server's last count
// of pages will do.
constexpr const char* kTree = R"sql(
WITH RECURSIVE tree AS (
  SELECT o AS root, o AS oid FROM unnest($1::oid[]) o
  UNION
  SELECT t.root, i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid)
SELECT t.root::bigint, t.oid::bigint, t.oid::regclass::text, t.root = t.oid, {bytes}
FROM tree t JOIN pg_class c ON c.oid = t.oid
WHERE c.relkind IN ('r', 'p', 'm', 'f', 'v', 'S')
ORDER BY array_position($1::oid[], t.root), t.root <> t.oid, t.oid::regclass::text
)sql";

constexpr const char* kExact = "coalesce(pg_total_relation_size(t.oid), 0)::bigint";
constexpr const char* kEstimate =
    "(SELECT coalesce(sum(p.relpages), 0) * current_setting('block_size')::bigint FROM pg_class p"
    " WHERE p.oid IN (c.oid, c.reltoastrelid)"
    " OR p.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = c.oid))::bigint";

std::string TreeSql(const char* bytes) {
  std::string sql = kTree;
  sql.replace(sql.find("{bytes}"), std::string_view("{bytes}").size(), bytes);
  return sql;
}

async::Task<pg::Result> ReadTree(pg::Connection& db, const std::vector<std::int64_t>& roots) {
  std::optional<pg::PgError> busy;
  pg::Result tree;
  co_await db.Execute(kBegin);
  try {
    tree = co_await db.Query(TreeSql(kExact), roots);
  } catch (const pg::PgError& error) {
    busy = error;
  }
  if (busy && !db.open()) throw *busy;
  if (busy) {
    co_await db.Execute("ROLLBACK");
    co_await db.Execute(kBegin);
    tree = co_await db.Query(TreeSql(kEstimate), roots);
  }
  co_await db.Execute("ROLLBACK");
  co_return tree;
}

void Merge(const Wanted& more, Wanted& wanted) {
  if (more.lock && (!wanted.lock || *more.lock > *wanted.lock)) wanted.lock = more.lock;
  wanted.rewritten = wanted.rewritten || more.rewritten;
  wanted.scanned = wanted.scanned || more.scanned;
}

}  // namespace

async::Task<Lookup> FindTarget(pg::Connection& db, const std::vector<WantedTable>& wanted) {
  Lookup lookup;
  if (wanted.empty()) co_return lookup;
  std::vector<std::string> names;
  for (const WantedTable& table : wanted) names.push_back(table.name);
  const pg::Result found = co_await db.Query(kResolve, names);
  std::vector<std::int64_t> oids;
  for (int row = 0; row < found.rows(); ++row) {
    const auto oid = found.Get<std::optional<std::int64_t>>(row, 1);
    oids.push_back(oid.value_or(0));
    if (!oid) lookup.missing.push_back(found.Get<std::string>(row, 0));
  }
  std::vector<std::int64_t> roots;
  for (const std::int64_t oid : oids)
    if (oid != 0 && std::ranges::find(roots, oid) == roots.end()) roots.push_back(oid);
  const pg::Result tree = co_await ReadTree(db, roots);
  auto& tables = lookup.target.tables;
  for (int row = 0; row < tree.rows(); ++row) {
    const auto root = tree.Get<std::int64_t>(row, 0);
    const auto oid = tree.Get<std::int64_t>(row, 1);
    const auto known = std::ranges::find(tables, oid, &TargetTable::oid);
    TargetTable table{oid,
                      tree.Get<std::string>(row, 2),
                      tree.Get<bool>(row, 3),
                      tree.Get<std::int64_t>(row, 4),
                      {}};
    TargetTable& place = known != tables.end() ? *known : tables.emplace_back(std::move(table));
    place.named = place.named || root == oid;
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (oids[i] == root) Merge(wanted[i].wanted, place.wanted);
  }
  co_return lookup;
}

}  // namespace pgalter::check
