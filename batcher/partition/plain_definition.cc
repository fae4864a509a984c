#include "batcher/partition/plain_definition.h"

#include <fmt/format.h>

#include <optional>

#include "batcher/rebuild/definition.h"

namespace pgalter::partition {

namespace {

constexpr const char* kKeys = R"sql(
SELECT format('CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint
WHERE conrelid = $1 AND contype IN ('p', 'u', 'x') ORDER BY contype, conname
)sql";

// Of the partitions: what all of them have, and the names of what some have.
constexpr const char* kStorage = R"sql(
WITH leaf AS (
  SELECT c.relpersistence, ARRAY(SELECT unnest(c.reloptions)
                                 UNION ALL SELECT 'toast.' || unnest(t.reloptions)) AS options
  FROM pg_partition_tree($1::oid::regclass) p JOIN pg_class c ON c.oid = p.relid AND p.isleaf
  LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
  WHERE c.relkind = 'r'),
options AS (
  SELECT o, count(*) = (SELECT count(*) FROM leaf) AS everywhere
  FROM leaf, unnest(options) o GROUP BY o)
SELECT (SELECT CASE WHEN bool_and(relpersistence = 'u') THEN 'UNLOGGED ' END FROM leaf),
       (SELECT ' WITH (' || string_agg(o, ', ' ORDER BY o) || ')' FROM options WHERE everywhere),
       (SELECT string_agg(DISTINCT split_part(o, '=', 1), ', ') FROM options WHERE NOT everywhere)
)sql";

}  // namespace

Task<Plain> PlainDefinition(Session& session, const Whole& whole) {
  std::string keys;
  const pg::Result constraints = co_await session.db().Query(kKeys, whole.table.oid);
  for (int i = 0; i < constraints.rows(); ++i) keys += ",\n  " + constraints.Get<std::string>(i, 0);
  const pg::Result storage = co_await session.db().Query(kStorage, whole.table.oid);
  Plain plain;
  if (const auto differing = storage.Get<std::optional<std::string>>(0, 2))
    plain.remarks.push_back(
        fmt::format("the partitions of {} differ in {}: of storage parameters the plain table gets "
                    "those that all of them have",
                    whole.table.name, *differing));
  plain.script = fmt::format(
      "CREATE {0}TABLE {1} (LIKE {1} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED "
      "INCLUDING IDENTITY INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS{2}){3};\n",
      storage.Get<std::optional<std::string>>(0, 0).value_or(""), whole.table.name, keys,
      storage.Get<std::optional<std::string>>(0, 1).value_or(""));
  const auto indexes = co_await rebuild::ReadIndexes(session, whole.table.oid, whole.table.name,
                                                     whole.table.name, whole.home);
  for (const rebuild::Index& index : indexes)
    if (index.constraint.empty()) plain.script += index.create + ";\n";
  co_return plain;
}

}  // namespace pgalter::partition
