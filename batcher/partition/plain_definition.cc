#include "batcher/partition/plain_definition.h"

#include <fmt/format.h>

#include <optional>

#include "batcher/partition/index_place.h"
#include "batcher/rebuild/definition.h"

namespace pgalter::partition {

namespace {

constexpr const char* kKeys = R"sql(
SELECT quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = $1 AND contype IN ('p', 'u', 'x') ORDER BY contype, conname
)sql";

// Of the partitions: what all of them have, and the names of what they differ in.
constexpr const char* kStorage = R"sql(
WITH leaf AS (
  SELECT coalesce(' TABLESPACE ' || quote_ident(s.spcname), '') AS place, c.relpersistence, a.amname,
         ARRAY(SELECT unnest(c.reloptions)
               UNION ALL SELECT 'toast.' || unnest(t.reloptions)) AS options
  FROM pg_partition_tree($1::oid::regclass) p JOIN pg_class c ON c.oid = p.relid AND p.isleaf
  LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
  LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
  LEFT JOIN pg_am a ON a.oid = c.relam
  WHERE c.relkind = 'r'),
options AS (
  SELECT o, count(*) = (SELECT count(*) FROM leaf) AS everywhere
  FROM leaf, unnest(options) o GROUP BY o),
same AS (
  SELECT count(DISTINCT place) < 2 AS place, count(DISTINCT relpersistence) < 2 AS persistence,
         count(DISTINCT amname) < 2 AS method
  FROM leaf)
SELECT (SELECT CASE WHEN bool_and(relpersistence = 'u') THEN 'UNLOGGED ' ELSE '' END FROM leaf),
       (SELECT CASE WHEN method AND (min(amname) <> 'heap'
                                     OR current_setting('default_table_access_method') <> 'heap')
                    THEN ' USING ' || quote_ident(min(amname)) ELSE '' END
        FROM leaf, same GROUP BY method)
         || coalesce((SELECT ' WITH (' || string_agg(o, ', ' ORDER BY o) || ')' FROM options
                      WHERE everywhere), '')
         || CASE WHEN same.place THEN (SELECT min(place) FROM leaf)
                 ELSE coalesce(' TABLESPACE ' || quote_ident(s.spcname), '') END,
       nullif(concat_ws(', ',
         (SELECT string_agg(DISTINCT split_part(o, '=', 1), ', ') FROM options WHERE NOT everywhere),
         CASE WHEN NOT same.persistence THEN 'UNLOGGED' END,
         CASE WHEN NOT same.method THEN 'access method' END,
         CASE WHEN NOT same.place THEN 'TABLESPACE' END), '')
FROM same, pg_class c LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace WHERE c.oid = $1
)sql";

}  // namespace

Task<Plain> PlainDefinition(Session& session, const Whole& whole) {
  std::string keys;
  const pg::Result constraints = co_await session.db().Query(kKeys, whole.table.oid);
  IndexPlaces places = co_await PlacesOf(session, whole.table.oid);
  for (int i = 0; i < constraints.rows(); ++i) {
    const auto name = constraints.Get<std::string>(i, 0);
    keys += fmt::format(",\n  CONSTRAINT {} {}", name,
                        PlaceKey(constraints.Get<std::string>(i, 1), places[name]));
  }
  const pg::Result storage = co_await session.db().Query(kStorage, whole.table.oid);
  Plain plain;
  if (const auto differing = storage.Get<std::optional<std::string>>(0, 2))
    plain.remarks.push_back(fmt::format(
        "the partitions of {} differ in {}: the plain table gets what all of them have, "
        "else what the partitioned one says",
        whole.table.name, *differing));
  plain.script = fmt::format(
      "CREATE {0}TABLE {1} (LIKE {1} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED "
      "INCLUDING IDENTITY INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS{2}){3};\n",
      storage.Get<std::optional<std::string>>(0, 0).value_or(""), whole.table.name, keys,
      storage.Get<std::optional<std::string>>(0, 1).value_or(""));
  const auto indexes = co_await rebuild::ReadIndexes(session, whole.table.oid, whole.table.name,
                                                     whole.table.name, whole.home);
  for (const rebuild::Index& index : indexes)
    if (index.constraint.empty())
      plain.script += PlaceIndex(index.create, places[index.name]) + ";\n";
  co_return plain;
}

}  // namespace pgalter::partition
