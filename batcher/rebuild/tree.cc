#include "batcher/rebuild/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "batcher/rebuild/like_table.h"
#include "engine/run/failure.h"

namespace pgalter::rebuild {

namespace {

// Bounds are read and written in one session, so its time zone is that of both.
constexpr const char* kTree = R"sql(
WITH RECURSIVE tree (oid, parent, depth) AS (
  SELECT $1::oid, NULL::oid, 0
  UNION ALL
  SELECT i.inhrelid, t.oid, t.depth + 1
  FROM tree t JOIN pg_class p ON p.oid = t.oid AND p.relkind = 'p'
  JOIN pg_inherits i ON i.inhparent = t.oid)
SELECT c.oid, format('%I.%I', n.nspname, c.relname), quote_ident(c.relname),
       coalesce((SELECT quote_ident(relname) FROM pg_class WHERE oid = t.parent), ''),
       CASE WHEN t.parent IS NULL THEN '' ELSE pg_get_expr(c.relpartbound, c.oid) END,
       coalesce(pg_get_partkeydef(c.oid), '')
FROM tree t JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY t.depth, c.oid
)sql";

// Each with the way out.
constexpr const char* kUnlike = R"sql(
WITH part AS (
  SELECT c.* FROM pg_partition_tree($1::oid::regclass) t JOIN pg_class c ON c.oid = t.relid
  WHERE t.relid <> $1)
SELECT format('partition %s belongs to %I, and the table to %I: ALTER TABLE ... OWNER TO before',
              p.oid::regclass, pg_get_userbyid(p.relowner), pg_get_userbyid(w.relowner))
FROM part p JOIN pg_class w ON w.oid = $1 WHERE p.relowner <> w.relowner
UNION ALL
SELECT format('CHECK %I of partition %s is its own and not valid: VALIDATE or drop it before',
              k.conname, p.oid::regclass)
FROM part p JOIN pg_constraint k ON k.conrelid = p.oid
WHERE k.contype = 'c' AND k.coninhcount = 0 AND NOT k.convalidated
UNION ALL
SELECT format('index %s of partition %s is not valid: drop it, or make it again',
              x.indexrelid::regclass, p.oid::regclass)
FROM part p JOIN pg_index x ON x.indrelid = p.oid WHERE NOT x.indisvalid
UNION ALL
SELECT format('partition %s has a security label of provider %s', p.oid::regclass, s.provider)
FROM part p JOIN pg_seclabel s ON s.classoid = 'pg_class'::regclass AND s.objoid = p.oid
LIMIT 1
)sql";

// Expressions have columns, too, of which the server changes no type.
constexpr const char* kKeyColumns = R"sql(
SELECT DISTINCT a.attname FROM pg_partition_tree($1::oid::regclass) t
JOIN pg_partitioned_table p ON p.partrelid = t.relid
JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = ANY (p.partattrs::int2[])
)sql";

// A partitioned table never was one by itself: it is made like one that was.
Task<> MakeRetyped(Session& session, const Names& names, LikeTable like, const Retype& retype) {
  LikeTable plain = like;
  plain.partitioned_by.clear();
  if (!like.partitioned_by.empty()) plain.name = names.schema + ".pgalter_columns";
  co_await MakeLike(session, plain);
  co_await retype(plain.name);
  if (like.partitioned_by.empty()) co_return;
  like.columns_of = plain.name;
  co_await MakeLike(session, like);
  co_await session.db().Query("DROP TABLE " + plain.name);
}

// A partition that is attached keeps its own order of columns, its own defaults and CHECKs, which
// PARTITION OF would not give it.
Task<> MakeBranch(Session& session, const Names& names, const Branch& branch,
                  const Retype& retype) {
  LikeTable like;
  like.columns_of = branch.name;
  like.storage_of = branch.oid;
  like.name = names.schema + "." + branch.relname;
  like.partitioned_by = branch.key;
  like.partition = !branch.parent.empty();
  if (retype) {
    co_await MakeRetyped(session, names, like, retype);
  } else {
    co_await MakeLike(session, like);
  }
  if (like.partition)
    co_await session.db().Query(fmt::format("ALTER TABLE {}.{} ATTACH PARTITION {} {}",
                                            names.schema, branch.parent, like.name, branch.bound));
  co_await CopyColumnSettings(session, branch.oid, like.name);
}

// $2 the columns of the keys. True: every bound is the same value in the new types, however the
// server shows it, which it does of bigint in quotes and of numeric and char as long as they are
// declared. A scale is the last eleven bits of a typmod, which is 4 too large, and has a sign.
constexpr const char* kSameValues = R"sql(
SELECT coalesce(bool_and(
    s.atttypid IN (20, 21, 23) AND t.atttypid IN (20, 21, 23)
    OR s.atttypid = t.atttypid AND s.attcollation = t.attcollation
       AND CASE s.atttypid
             WHEN 'numeric'::regtype THEN t.atttypmod = -1 OR s.atttypmod <> -1
               AND (((t.atttypmod - 4) & 2047) # 1024) >= (((s.atttypmod - 4) & 2047) # 1024)
             WHEN 'bpchar'::regtype THEN s.atttypmod <> -1 AND t.atttypmod >= s.atttypmod
             ELSE false END), true)
FROM pg_attribute s JOIN pg_attribute t USING (attname)
WHERE s.attrelid = $1 AND t.attrelid = $3::regclass AND attname = ANY ($2::text[])
  AND (s.atttypid, s.atttypmod, s.attcollation) <> (t.atttypid, t.atttypmod, t.attcollation)
)sql";

Task<> RefuseOtherBounds(Session& session, const Names& names, const std::vector<Branch>& tree) {
  const pg::Oid source = tree.front().oid;
  const std::vector<std::string> key = co_await ReadKeyColumns(session, source);
  const pg::Result same = co_await session.db().Query(kSameValues, source, key, names.shadow);
  if (same.Get<bool>(0, 0)) co_return;
  std::map<std::string, std::string> bounds;
  for (const Branch& branch : tree) bounds[branch.relname] = branch.bound + branch.key;
  const pg::Result made = co_await session.db().Query("SELECT $1::regclass::oid", names.shadow);
  for (const Branch& branch : co_await ReadTree(session, made.Get<pg::Oid>(0, 0))) {
    if (bounds[branch.relname] == branch.bound + branch.key) continue;
    throw run::Failure(
        run::ExitCode::kRefused,
        fmt::format("cannot rebuild {}: it is partitioned by a column whose type --alter changes, "
                    "and partition {} would be one {}{}, which need not be the same rows. Give the "
                    "whole new definition, with its partitions: --definition FILE",
                    names.source, branch.relname, branch.bound, branch.key));
  }
}

}  // namespace

Task<std::vector<Branch>> ReadTree(Session& session, pg::Oid table) {
  const pg::Result rows = co_await session.db().Query(kTree, table);
  std::vector<Branch> tree;
  for (int i = 0; i < rows.rows(); ++i) {
    Branch& branch = tree.emplace_back();
    branch.oid = rows.Get<pg::Oid>(i, 0);
    branch.name = rows.Get<std::string>(i, 1);
    branch.relname = rows.Get<std::string>(i, 2);
    branch.parent = rows.Get<std::string>(i, 3);
    branch.bound = rows.Get<std::string>(i, 4);
    branch.key = rows.Get<std::string>(i, 5);
  }
  co_return tree;
}

Task<std::vector<std::string>> ReadKeyColumns(Session& session, pg::Oid table) {
  const pg::Result rows = co_await session.db().Query(kKeyColumns, table);
  std::vector<std::string> columns;
  for (int i = 0; i < rows.rows(); ++i) columns.push_back(rows.Get<std::string>(i, 0));
  co_return columns;
}

Task<> MakeTreeLike(Session& session, const Names& names, pg::Oid source, const Retype& retype) {
  std::vector<Branch> tree = co_await ReadTree(session, source);
  for (const Branch& branch : tree) co_await MakeBranch(session, names, branch, retype);
  if (retype) co_await RefuseOtherBounds(session, names, tree);
  std::reverse(tree.begin(), tree.end());
  for (const Branch& branch : tree) {
    const std::string name = names.schema + "." + branch.relname;
    for (const Index& index :
         co_await ReadIndexes(session, branch.oid, branch.name, name, names.schema))
      co_await MakeIndex(session, index);
  }
}

Task<std::vector<Index>> ReadTreeIndexes(Session& session, std::vector<Branch> tree,
                                         std::string schema) {
  std::vector<IndexedTable> tables;
  std::reverse(tree.begin(), tree.end());
  for (const Branch& branch : tree) tables.push_back({branch.oid, branch.name, branch.name});
  co_return co_await ReadIndexes(session, std::move(tables), std::move(schema));
}

Task<> RefuseUnlikePartitions(Session& session, std::string table, pg::Oid source) {
  const pg::Result rows = co_await session.db().Query(kUnlike, source);
  if (rows.empty()) co_return;
  throw run::Failure(run::ExitCode::kRefused,
                     fmt::format("cannot rebuild {}: {}", table, rows.Get<std::string>(0, 0)));
}

}  // namespace pgalter::rebuild
