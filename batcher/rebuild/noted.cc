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
  SELECT t.oid AS relid, w.kind, w.name, w.text, format('%s %I.%I', w.kind, c.relname, w.name) AS of
  FROM noted_table t
  CROSS JOIN LATERAL (SELECT relname FROM pg_class WHERE oid = t.oid OFFSET 0) c
  CROSS JOIN LATERAL (
    SELECT 'column', a.attname, d.description
    FROM pg_attribute a LEFT JOIN pg_description d ON d.objoid = a.attrelid
      AND d.classoid = 'pg_class'::regclass AND d.objsubid = a.attnum
    WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'index', i.relname, d.description
    FROM pg_index x CROSS JOIN LATERAL (
      SELECT oid, relname FROM pg_class WHERE oid = x.indexrelid OFFSET 0) i
    LEFT JOIN pg_description d ON d.objoid = i.oid AND d.classoid = 'pg_class'::regclass
      AND d.objsubid = 0
    WHERE x.indrelid = t.oid
    UNION ALL
    SELECT 'order', i.relname, CASE WHEN x.indisclustered THEN 'clustered' END
    FROM pg_index x CROSS JOIN LATERAL (
      SELECT relname FROM pg_class WHERE oid = x.indexrelid OFFSET 0) i
    WHERE x.indrelid = t.oid
    UNION ALL
    SELECT w.kind, k.conname, CASE w.kind WHEN 'constraint' THEN d.description
                                          WHEN 'validity' THEN w.valid END
    FROM pg_constraint k LEFT JOIN pg_description d ON d.objoid = k.oid
      AND d.classoid = 'pg_constraint'::regclass AND d.objsubid = 0
    CROSS JOIN LATERAL (
      SELECT 'constraint', NULL
      UNION ALL SELECT 'validity', CASE WHEN k.convalidated THEN 'valid' END
      WHERE k.contype IN ('c', 'n')) w (kind, valid)
    WHERE k.conrelid = t.oid AND k.contype IN ('c', 'n', 'p', 'u', 'x')
    OFFSET 0) w (kind, name, text))
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
