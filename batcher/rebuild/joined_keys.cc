#include "batcher/rebuild/joined_keys.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

#include "engine/run/failure.h"

namespace pgalter::rebuild {

namespace {

// $1 the tables, $2 their new ones. Keys with a column whose type is another one then: how they are
// called, and the two tables as they are to be, with the columns of the key. A key whose own
// columns go is not made again; one to columns that go was refused before.
constexpr const char* kKeys = R"sql(
WITH rebuilt AS (
  SELECT * FROM unnest($1::int8[]::oid[], $2::int8[]::oid[]) r (old, new)),
key AS (
  SELECT f.oid, f.conname, f.conrelid, f.confrelid, f.conkey, f.confkey,
         coalesce(c.new, f.conrelid) AS child, coalesce(p.new, f.confrelid) AS parent
  FROM pg_constraint f
  LEFT JOIN rebuilt c ON c.old = f.conrelid LEFT JOIN rebuilt p ON p.old = f.confrelid
  WHERE f.contype = 'f' AND f.conparentid = 0 AND (c.old IS NOT NULL OR p.old IS NOT NULL)),
pair AS (
  SELECT k.oid, n.i, ct.attname AS child, pt.attname AS parent,
         (ct.atttypid, pt.atttypid, ct.attcollation, pt.attcollation)
           IS DISTINCT FROM (cs.atttypid, ps.atttypid, cs.attcollation, ps.attcollation) AS changes
  FROM key k CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY n (own, other, i)
  JOIN pg_attribute cs ON cs.attrelid = k.conrelid AND cs.attnum = n.own
  JOIN pg_attribute ps ON ps.attrelid = k.confrelid AND ps.attnum = n.other
  LEFT JOIN pg_attribute ct ON ct.attrelid = k.child AND ct.attname = cs.attname
    AND NOT ct.attisdropped
  LEFT JOIN pg_attribute pt ON pt.attrelid = k.parent AND pt.attname = ps.attname
    AND NOT pt.attisdropped)
SELECT format('foreign key %I of %s', k.conname, k.conrelid::regclass),
       format('SELECT %s FROM %I.%I', string_agg(quote_ident(p.child), ', ' ORDER BY p.i),
              cn.nspname, cc.relname),
       string_agg(quote_ident(p.child), ', ' ORDER BY p.i),
       format('SELECT %s FROM %I.%I', string_agg(quote_ident(p.parent), ', ' ORDER BY p.i),
              pn.nspname, pc.relname),
       string_agg(quote_ident(p.parent), ', ' ORDER BY p.i)
FROM key k JOIN pair p ON p.oid = k.oid
JOIN pg_class cc ON cc.oid = k.child JOIN pg_namespace cn ON cn.oid = cc.relnamespace
JOIN pg_class pc ON pc.oid = k.parent JOIN pg_namespace pn ON pn.oid = pc.relnamespace
GROUP BY k.oid, k.conname, k.conrelid, cn.nspname, cc.relname, pn.nspname, pc.relname
HAVING bool_or(p.changes) AND bool_and(p.child IS NOT NULL AND p.parent IS NOT NULL)
ORDER BY k.oid
)sql";

}  // namespace

Task<> RefuseUnfitKeys(Session& session, const std::vector<Stored>& all) {
  pg::Connection& db = session.db();
  std::vector<std::int64_t> sources;
  std::vector<std::int64_t> shadows;
  for (const Stored& stored : all) {
    sources.push_back(stored.source);
    shadows.push_back(stored.shadow);
  }
  const pg::Result keys = co_await db.Query(kKeys, sources, shadows);
  const std::string& schema = all.front().schema;
  for (int i = 0; i < keys.rows(); ++i) {
    const std::string child = fmt::format("{}_old.child_{}", schema, i);
    const std::string parent = fmt::format("{}_old.parent_{}", schema, i);
    std::optional<pg::PgError> refused;
    try {
      co_await db.Query(
          fmt::format("CREATE TABLE {} AS {} WITH NO DATA", child, keys.Get<std::string>(i, 1)));
      co_await db.Query(
          fmt::format("CREATE TABLE {} AS {} WITH NO DATA", parent, keys.Get<std::string>(i, 3)));
      co_await db.Query(
          fmt::format("ALTER TABLE {} ADD UNIQUE ({})", parent, keys.Get<std::string>(i, 4)));
      co_await db.Query(fmt::format("ALTER TABLE {} ADD FOREIGN KEY ({}) REFERENCES {} ({})", child,
                                    keys.Get<std::string>(i, 2), parent,
                                    keys.Get<std::string>(i, 4)));
    } catch (const pg::PgError& error) {
      if (!db.open() || error.klass() == pg::SqlstateClass::kNoRight) throw;
      refused = error;
    }
    if (refused)
      throw run::Failure(
          run::ExitCode::kRefused,
          fmt::format("{} could not be made again, as the types would not fit: {}. Change both "
                      "tables in one rebuild, or drop the key before. Nothing was changed",
                      keys.Get<std::string>(i, 0), refused->what()));
  }
}

}  // namespace pgalter::rebuild
