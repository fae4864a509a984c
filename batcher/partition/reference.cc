#include "batcher/partition/reference.h"

#include <fmt/format.h>

#include "engine/guard/role_settings.h"

namespace pgalter::partition {

namespace {

constexpr const char* kKey = R"sql(
SELECT format('%I.%I', n.nspname, c.relname), quote_ident(n.nspname), c.relname::text,
       quote_ident(pg_get_userbyid(c.relowner)), c.relkind = 'p',
       format('%I.%I', pn.nspname, p.relname), p.relname::text,
       quote_ident(pg_get_userbyid(p.relowner)), f.conname::text, f.confmatchtype = 'f',
       f.confdeltype::text, f.confupdtype::text, f.condeferrable, f.condeferred, f.convalidated,
       f.conrelid = f.confrelid, coalesce(obj_description(f.oid, 'pg_constraint'), '')
FROM pg_constraint f
JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class p ON p.oid = f.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE f.oid = $1
)sql";

constexpr const char* kColumns = R"sql(
SELECT quote_ident(a.attname), quote_ident(b.attname), op.pf, op.pp, op.ff
FROM pg_constraint f
CROSS JOIN LATERAL unnest(f.conkey, f.confkey, f.conpfeqop, f.conppeqop, f.conffeqop)
  WITH ORDINALITY k (child, parent, pf, pp, ff, n)
JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.child
JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.parent
CROSS JOIN LATERAL (
  SELECT max(s) FILTER (WHERE o.oid = k.pf) AS pf, max(s) FILTER (WHERE o.oid = k.pp) AS pp,
         max(s) FILTER (WHERE o.oid = k.ff) AS ff
  FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
  CROSS JOIN LATERAL (SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname) AS s) t
  WHERE o.oid IN (k.pf, k.pp, k.ff)) op
WHERE f.oid = $1 ORDER BY k.n
)sql";

// Since PostgreSQL 15.
constexpr const char* kSetColumns = R"sql(
SELECT quote_ident(a.attname)
FROM pg_constraint f
CROSS JOIN LATERAL jsonb_array_elements_text(
  CASE jsonb_typeof(to_jsonb(f) -> 'confdelsetcols') WHEN 'array'
       THEN to_jsonb(f) -> 'confdelsetcols' ELSE '[]' END) WITH ORDINALITY s (number, n)
JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = s.number::int
WHERE f.oid = $1 ORDER BY s.n
)sql";

constexpr const char* kLeaves = R"sql(
SELECT format('%I.%I', n.nspname, c.relname)
FROM pg_constraint f CROSS JOIN LATERAL pg_partition_tree(f.conrelid) t
JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE f.oid = $1 AND t.isleaf AND c.relkind <> 'p' ORDER BY c.oid
)sql";

}  // namespace

Task<Reference> ReadReference(Session& session, pg::Oid foreign_key) {
  const pg::Result row = co_await session.db().Query(kKey, foreign_key);
  Reference reference;
  reference.child = row.Get<std::string>(0, 0);
  reference.child_home = row.Get<std::string>(0, 1);
  reference.child_relname = row.Get<std::string>(0, 2);
  reference.child_owner = row.Get<std::string>(0, 3);
  reference.child_partitioned = row.Get<bool>(0, 4);
  reference.parent = row.Get<std::string>(0, 5);
  reference.parent_relname = row.Get<std::string>(0, 6);
  reference.parent_owner = row.Get<std::string>(0, 7);
  reference.name = row.Get<std::string>(0, 8);
  reference.match_full = row.Get<bool>(0, 9);
  reference.on_delete = row.Get<std::string>(0, 10).front();
  reference.on_update = row.Get<std::string>(0, 11).front();
  reference.deferrable = row.Get<bool>(0, 12);
  reference.deferred = row.Get<bool>(0, 13);
  reference.valid = row.Get<bool>(0, 14);
  reference.to_itself = row.Get<bool>(0, 15);
  reference.comment = row.Get<std::string>(0, 16);
  for (auto& [name, value] : co_await guard::RoleSettings(session))
    if (name == "search_path") reference.search_path = value;
  const pg::Result columns = co_await session.db().Query(kColumns, foreign_key);
  for (int i = 0; i < columns.rows(); ++i) {
    Reference::Column column;
    column.child = columns.Get<std::string>(i, 0);
    column.parent = columns.Get<std::string>(i, 1);
    column.parent_child = columns.Get<std::string>(i, 2);
    column.parent_parent = columns.Get<std::string>(i, 3);
    column.child_child = columns.Get<std::string>(i, 4);
    reference.columns.push_back(std::move(column));
  }
  const pg::Result set = co_await session.db().Query(kSetColumns, foreign_key);
  for (int i = 0; i < set.rows(); ++i) reference.set_columns.push_back(set.Get<std::string>(i, 0));
  if (!reference.child_partitioned) co_return reference;
  const pg::Result leaves = co_await session.db().Query(kLeaves, foreign_key);
  for (int i = 0; i < leaves.rows(); ++i) reference.leaves.push_back(leaves.Get<std::string>(i, 0));
  co_return reference;
}

std::string ActionText(const char* event, char action) {
  switch (action) {
    case 'r':
      return fmt::format(" ON {} RESTRICT", event);
    case 'c':
      return fmt::format(" ON {} CASCADE", event);
    case 'n':
      return fmt::format(" ON {} SET NULL", event);
    case 'd':
      return fmt::format(" ON {} SET DEFAULT", event);
    default:
      return "";
  }
}

}  // namespace pgalter::partition
