#include "batcher/rebuild/noted.h"

#include <fmt/format.h>

#include "engine/state/json_texts.h"

namespace pgalter::rebuild {

namespace json = boost::json;

json::object ToJson(const Noted& noted) {
  return {{"known", noted.known},
          {"of", state::ArrayOf(noted.of)},
          {"text", state::ArrayOf(noted.text)}};
}

Noted NotedFromJson(const json::object& json) {
  return {json.at("known").as_bool(), state::TextsOf(json.at("of")),
          state::TextsOf(json.at("text"))};
}

// Asked under the locks: each part comes by an index of its catalog.
std::string NotedOf(std::string_view tables) {
  return fmt::format(R"sql(noted_table AS (SELECT t.oid FROM ({}) t (oid)),
noted_now AS (
  SELECT w.relid, w.kind, w.name, w.text,
         format('%s %I.%I', w.kind, (SELECT relname FROM pg_class WHERE oid = w.relid), w.name) AS of
  FROM noted_table t CROSS JOIN LATERAL (
    SELECT a.attrelid, 'column', a.attname, col_description(a.attrelid, a.attnum)
    FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT x.indrelid, 'index', c.relname, obj_description(c.oid, 'pg_class')
    FROM pg_index x CROSS JOIN LATERAL (
      SELECT oid, relname FROM pg_class WHERE oid = x.indexrelid OFFSET 0) c
    WHERE x.indrelid = t.oid
    UNION ALL
    SELECT k.conrelid, 'constraint', k.conname, obj_description(k.oid, 'pg_constraint')
    FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype IN ('c', 'n', 'p', 'u', 'x')
    UNION ALL
    SELECT k.conrelid, 'validity', k.conname, CASE WHEN k.convalidated THEN 'valid' END
    FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype IN ('c', 'n')
    OFFSET 0) w (relid, kind, name, text))
)sql",
                     tables);
}

Task<Noted> ReadNoted(Session& session, pg::Oid table) {
  const std::string ask =
      "WITH " +
      NotedOf("SELECT $1::oid UNION SELECT relid FROM pg_partition_tree($1::oid::regclass)") +
      "SELECT of, text FROM noted_now WHERE text IS NOT NULL ORDER BY 1";
  const pg::Result rows = co_await session.db().Query(ask, table);
  Noted noted;
  noted.known = true;
  for (int i = 0; i < rows.rows(); ++i) {
    noted.of.push_back(rows.Get<std::string>(i, 0));
    noted.text.push_back(rows.Get<std::string>(i, 1));
  }
  co_return noted;
}

}  // namespace pgalter::rebuild
