#include "batcher/partition/index_place.h"

#include <algorithm>

#include "planner/sql/words.h"

namespace pgalter::partition {

namespace {

// $2: the leaf whose part is asked for, or 0. A plain index is in no partition tree.
constexpr const char* kPlaces = R"sql(
WITH stored AS (
  SELECT c.oid, coalesce(' WITH (' || array_to_string(c.reloptions, ', ') || ')', '') AS storage,
         coalesce(' TABLESPACE ' || quote_ident(s.spcname), '') AS place
  FROM pg_class c LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
  WHERE c.relkind IN ('i', 'I'))
SELECT quote_ident(c.relname),
       CASE WHEN count(DISTINCT l.storage) = 1 THEN min(l.storage) ELSE min(o.storage) END,
       CASE WHEN count(DISTINCT l.place) = 1 THEN min(l.place) ELSE min(o.place) END
FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN stored o ON o.oid = c.oid
LEFT JOIN LATERAL (
  SELECT s.storage, s.place
  FROM pg_partition_tree(c.oid) p JOIN stored s ON s.oid = p.relid
  JOIN pg_index y ON y.indexrelid = p.relid
  WHERE p.isleaf AND ($2::oid = 0 OR y.indrelid = $2)) l ON true
WHERE x.indrelid = $1
GROUP BY c.oid, c.relname
)sql";

// Behind the columns stand WHERE of an index, DEFERRABLE of a constraint.
std::string Insert(const std::string& definition, const std::string& what) {
  if (what.empty()) return definition;
  const auto words = sql::Words::Read(definition);
  if (!words) return definition;
  const std::size_t at = std::min(words->Find("where"), words->Find("deferrable"));
  if (at == words->size()) return definition + what;
  return words->Replace(at, at, what.substr(1) + " ");
}

}  // namespace

Task<IndexPlaces> PlacesOf(Session& session, pg::Oid table, pg::Oid part) {
  const pg::Result rows = co_await session.db().Query(kPlaces, table, part);
  IndexPlaces places;
  for (int i = 0; i < rows.rows(); ++i)
    places[rows.Get<std::string>(i, 0)] = {rows.Get<std::string>(i, 1),
                                           rows.Get<std::string>(i, 2)};
  co_return places;
}

std::string PlaceIndex(const std::string& definition, const IndexPlace& place) {
  return Insert(definition, place.tablespace);
}

std::string PlaceKey(const std::string& definition, const IndexPlace& place) {
  const std::string index = place.tablespace.empty() ? "" : " USING INDEX" + place.tablespace;
  return Insert(definition, place.storage + index);
}

}  // namespace pgalter::partition
