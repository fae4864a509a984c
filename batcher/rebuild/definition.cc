#include "batcher/rebuild/definition.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <optional>

#include "engine/state/json_texts.h"

namespace pgalter::rebuild {

namespace {

namespace json = boost::json;

using state::ArrayOf;
using state::TextsOf;

// pg_get_indexdef begins with what is known, up to the table's name, and goes on with what is not.
// Its tablespace is not in it, nor are storage parameters in pg_get_constraintdef. USING INDEX
// cannot be said of a partitioned table, whose constraint makes the index.
constexpr const char* kIndexes = R"sql(
SELECT quote_ident(c.relname),
       CASE WHEN con.contype IS DISTINCT FROM 'x' AND (con.oid IS NULL OR c.relkind = 'i') THEN
         format('CREATE %sINDEX %I ON %s', u.word, c.relname, t.into_name)
           || substr(pg_get_indexdef(x.indexrelid),
                     length(format('CREATE %sINDEX %I ON %s%s', u.word, c.relname,
                                   CASE c.relkind WHEN 'I' THEN 'ONLY ' ELSE '' END,
                                   t.from_name)) + 1)
       END,
       CASE WHEN con.oid IS NULL THEN NULL
         WHEN con.contype = 'x' THEN
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', t.into_name, con.conname, k.def)
         WHEN c.relkind = 'I' THEN
           format('ALTER TABLE %s ADD CONSTRAINT %I %s%s%s', t.into_name, con.conname,
                  left(k.def, length(k.def) - length(k.tail)),
                  ' WITH (' || array_to_string(c.reloptions, ', ') || ')', k.tail)
         ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s USING INDEX %I%s', t.into_name, con.conname,
                     CASE con.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, c.relname,
                     k.tail)
       END,
       con.contype IS NOT NULL,
       CASE WHEN con.oid IS NOT NULL THEN
         format('COMMENT ON CONSTRAINT %I ON %s IS %L', con.conname, t.into_name,
                obj_description(con.oid, 'pg_constraint'))
       END,
       obj_description(con.oid, 'pg_constraint') IS NOT NULL,
       format('COMMENT ON INDEX %I.%I IS %L', $4::text, c.relname,
              obj_description(c.oid, 'pg_class')),
       obj_description(c.oid, 'pg_class') IS NOT NULL,
       format('ALTER TABLE %s CLUSTER ON %I', t.into_name, c.relname), x.indisclustered,
       CASE WHEN c.relispartition THEN
         (SELECT quote_ident(relname) FROM pg_class WHERE oid = pg_partition_root(c.oid)) END,
       coalesce((SELECT spcname FROM pg_tablespace WHERE oid = c.reltablespace), ''), t.into_name,
       (SELECT format('ALTER INDEX %I.%I %s', $4::text, c.relname,
                      string_agg(format('ALTER COLUMN %s SET STATISTICS %s', a.attnum, s.target),
                                 ', ' ORDER BY a.attnum))
        FROM pg_attribute a
        CROSS JOIN LATERAL (SELECT (to_jsonb(a)->>'attstattarget')::int AS target) s
        WHERE a.attrelid = x.indexrelid AND s.target >= 0 HAVING count(*) > 0)
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY t (source, from_name, into_name, n)
JOIN pg_index x ON x.indrelid = t.source::oid JOIN pg_class c ON c.oid = x.indexrelid
CROSS JOIN LATERAL (SELECT CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END AS word) u
LEFT JOIN pg_constraint con ON con.conindid = x.indexrelid AND con.conrelid = x.indrelid
  AND con.contype IN ('p', 'u', 'x')
CROSS JOIN LATERAL (SELECT pg_get_constraintdef(con.oid) AS def,
                           CASE WHEN con.condeferrable THEN ' DEFERRABLE' ELSE '' END
                             || CASE WHEN con.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END
                             AS tail) k
WHERE x.indisvalid
ORDER BY t.n, x.indisprimary DESC, x.indisunique DESC, c.relname
)sql";

}  // namespace

json::object ToJson(const Definition& definition) {
  json::array indexes;
  for (const Index& index : definition.indexes)
    indexes.push_back({{"name", index.name},
                       {"table", index.table},
                       {"create", index.create},
                       {"constraint", index.constraint},
                       {"remarks", ArrayOf(index.remarks)},
                       {"key", index.key},
                       {"helper", index.helper},
                       {"tablespace", index.tablespace},
                       {"root", index.root}});
  json::array renamed;
  for (const SameColumn& column : definition.renamed)
    renamed.push_back({{"from", column.from}, {"to", column.to}});
  json::object settled_on;
  for (const auto& [sql, oid] : definition.settled_on) settled_on[sql] = oid;
  return {{"indexes", indexes},
          {"renamed", renamed},
          {"checks", ArrayOf(definition.checks)},
          {"validate", ArrayOf(definition.validate)},
          {"adopt", ArrayOf(definition.adopt)},
          {"settled_on", settled_on},
          {"sequences", ArrayOf(definition.sequences)},
          {"outline", ArrayOf(definition.outline)},
          {"noted", ToJson(definition.noted)},
          {"revertible", definition.revertible},
          {"alike", definition.alike}};
}

Definition DefinitionFromJson(const json::object& json) {
  Definition definition;
  for (const json::value& value : json.at("indexes").as_array()) {
    const json::object& index = value.as_object();
    Index made;
    made.name = index.at("name").as_string();
    made.table = index.at("table").as_string();
    made.create = index.at("create").as_string();
    made.constraint = index.at("constraint").as_string();
    made.remarks = TextsOf(index.at("remarks"));
    made.key = index.at("key").as_bool();
    made.helper = index.at("helper").as_bool();
    made.root = index.at("root").as_string();
    // A run of an older program does not say.
    if (const auto* tablespace = index.if_contains("tablespace"))
      made.tablespace = tablespace->as_string();
    definition.indexes.push_back(std::move(made));
  }
  // A run of an older program knows of none.
  if (const auto* renamed = json.if_contains("renamed"))
    for (const json::value& value : renamed->as_array())
      definition.renamed.push_back(
          {value.at("from").as_string().c_str(), value.at("to").as_string().c_str()});
  definition.checks = TextsOf(json.at("checks"));
  definition.validate = TextsOf(json.at("validate"));
  definition.adopt = TextsOf(json.at("adopt"));
  // A run of an older program does not say, of these.
  if (const auto* settled_on = json.if_contains("settled_on"))
    for (const auto& [sql, oid] : settled_on->as_object())
      definition.settled_on[sql] = oid.to_number<pg::Oid>();
  if (const auto* sequences = json.if_contains("sequences"))
    definition.sequences = TextsOf(*sequences);
  if (const auto* outline = json.if_contains("outline")) definition.outline = TextsOf(*outline);
  if (const auto* noted = json.if_contains("noted"))
    definition.noted = NotedFromJson(noted->as_object());
  definition.revertible = json.at("revertible").as_bool();
  if (const auto* alike = json.if_contains("alike")) definition.alike = alike->as_bool();
  return definition;
}

Task<> CreateIndex(Session& session, const Index& index) {
  pg::Connection& db = session.db();
  co_await db.Query("SELECT set_config('default_tablespace', $1, true)", index.tablespace);
  if (!index.create.empty()) co_await db.Query(index.create);
  if (!index.constraint.empty()) co_return;
  for (const std::string& remark : index.remarks) co_await db.Query(remark);
}

Task<> AddConstraint(Session& session, const Index& index) {
  pg::Connection& db = session.db();
  co_await db.Query("SELECT set_config('default_tablespace', $1, true)", index.tablespace);
  co_await db.Query(index.constraint);
  for (const std::string& remark : index.remarks) co_await db.Query(remark);
}

Task<> MakeIndex(Session& session, const Index& index) {
  co_await CreateIndex(session, index);
  if (!index.constraint.empty()) co_await AddConstraint(session, index);
}

Task<std::vector<Index>> ReadIndexes(Session& session, std::vector<IndexedTable> tables,
                                     std::string to_schema) {
  std::vector<std::string> oids;
  std::vector<std::string> from;
  std::vector<std::string> to;
  for (IndexedTable& table : tables) {
    oids.push_back(fmt::format("{}", table.oid));
    from.push_back(std::move(table.name));
    to.push_back(std::move(table.to));
  }
  const pg::Result rows = co_await session.db().Query(kIndexes, oids, from, to, to_schema);
  std::vector<Index> indexes;
  for (int i = 0; i < rows.rows(); ++i) {
    Index index;
    index.name = rows.Get<std::string>(i, 0);
    index.table = rows.Get<std::string>(i, 12);
    index.create = rows.Get<std::optional<std::string>>(i, 1).value_or("");
    if (rows.Get<bool>(i, 3)) index.constraint = rows.Get<std::string>(i, 2);
    if (rows.Get<bool>(i, 5)) index.remarks.push_back(rows.Get<std::string>(i, 4));
    if (rows.Get<bool>(i, 7)) index.remarks.push_back(rows.Get<std::string>(i, 6));
    if (rows.Get<bool>(i, 9)) index.remarks.push_back(rows.Get<std::string>(i, 8));
    if (!rows.IsNull(i, 13)) index.remarks.push_back(rows.Get<std::string>(i, 13));
    index.root = rows.Get<std::optional<std::string>>(i, 10).value_or("");
    index.tablespace = rows.Get<std::string>(i, 11);
    indexes.push_back(std::move(index));
  }
  co_return indexes;
}

Task<std::vector<Index>> ReadIndexes(Session& session, pg::Oid from, std::string from_name,
                                     std::string to_name, std::string to_schema) {
  std::vector<IndexedTable> tables(1);
  tables.front().oid = from;
  tables.front().name = std::move(from_name);
  tables.front().to = std::move(to_name);
  co_return co_await ReadIndexes(session, std::move(tables), std::move(to_schema));
}

}  // namespace pgalter::rebuild
