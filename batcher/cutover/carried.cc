#include "batcher/cutover/carried.h"

#include <array>

#include "batcher/dependants/users_triggers.h"
#include "batcher/rebuild/mapping.h"
#include "batcher/rebuild/noted.h"
#include "engine/pg/named.h"

namespace pgalter::cutover {

namespace {

#define PGALTER_CARRIED(name) &k##name,
constexpr std::array kAll{
#include "batcher/cutover/carried.def"
};
#undef PGALTER_CARRIED

constexpr const char* kRelations = R"sql(
WITH RECURSIVE same AS (
  SELECT t.attname::text AS old, t.attname::text AS new FROM pg_attribute t
  WHERE t.attrelid = :coming AND t.attnum > 0 AND NOT t.attisdropped
    AND t.attname <> ALL (:renamed_from) AND t.attname <> ALL (:renamed_to)
  UNION ALL SELECT u.old, u.new FROM unnest(:renamed_from, :renamed_to) u (old, new)),
called AS (
  SELECT format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = :coming),
tree (root, oid, relname, relkind, schema) AS (
  SELECT c.oid, c.oid, c.relname, c.relkind, c.relnamespace FROM pg_class c
  WHERE c.oid IN (:leaving, :coming)
  UNION ALL
  SELECT t.root, c.oid, c.relname, c.relkind, c.relnamespace
  FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid JOIN pg_class c ON c.oid = i.inhrelid
  WHERE t.relkind = 'p'),
leaving AS (
  SELECT t.oid, t.relname, format('%I.%I', n.nspname, t.relname) AS name
  FROM tree t JOIN pg_namespace n ON n.oid = t.schema WHERE t.root = :leaving),
coming AS (
  SELECT t.oid, t.relname, format('%I.%I', n.nspname, t.relname) AS name,
         t.relkind <> 'p' AS has_rows
  FROM tree t, pg_class l JOIN pg_namespace n ON n.oid = l.relnamespace
  WHERE t.root = :coming AND l.oid = :leaving),
carried (oid) AS (
  SELECT oid FROM leaving UNION SELECT u::oid FROM unnest(:companions) u
  UNION SELECT p.relid::oid FROM unnest(:companions) u, pg_partition_tree(u::oid::regclass) p),
inbound_key (oid) AS (
  SELECT DISTINCT objid FROM pg_depend WHERE classid = 'pg_constraint'::regclass
    AND refclassid = 'pg_class'::regclass AND refobjid = :leaving),
going (oid) AS (
  SELECT f.oid FROM inbound_key JOIN pg_constraint f USING (oid) JOIN pg_class c ON c.oid = f.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE f.confrelid = :leaving AND f.contype = 'f' AND :going_keys <> '{}'
    AND format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, f.conname,
               pg_get_constraintdef(f.oid)) = ANY (:going_keys)
  UNION ALL SELECT f.oid FROM going g CROSS JOIN LATERAL (
    SELECT oid FROM pg_constraint WHERE conparentid = g.oid OFFSET 0) f),
pair (leaving, coming, name) AS (
  SELECT :leaving, :coming, :name
  UNION ALL
  SELECT l.oid, c.oid, c.name FROM leaving l JOIN coming c USING (relname)
  WHERE :alike AND l.oid <> :leaving AND c.oid <> :coming)
)sql";

constexpr const char* kAltered = R"sql(altered AS (
  SELECT n.* FROM noted_now n
  LEFT JOIN unnest(:noted_of, :noted_text) s (of, text) ON s.of = n.of
  WHERE :noted AND s.text IS DISTINCT FROM n.text)
)sql";

pg::Named ValuesOf(const Exchange& tables) {
  const Staying& staying = tables.staying;
  pg::Named values;
  values.Add("leaving", "oid", tables.leaving);
  values.Add("coming", "oid", tables.coming);
  values.Add("name", "text", tables.name);
  values.Add("unsettled", "text[]", staying.unsettled);
  values.Add("unadopted", "text[]", staying.unadopted);
  values.Add("companions", "int8[]", staying.companions);
  values.Add("going_keys", "text[]", staying.going);
  values.Add("views_anew", "int8[]", staying.views_anew);
  values.Add("alike", "bool", staying.alike);
  values.Add("noted", "bool", staying.noted.known);
  values.Add("noted_of", "text[]", staying.noted.of);
  values.Add("noted_text", "text[]", staying.noted.text);
  values.Add("checks", "text[]", staying.checks);
  values.Add("renamed_from", "text[]", rebuild::FromOf(staying.renamed));
  values.Add("renamed_to", "text[]", rebuild::ToOf(staying.renamed));
  return values;
}

}  // namespace

std::span<const Carried* const> AllCarried() { return kAll; }

pg::Statement Ask(const Carried& kind, const Exchange& tables) {
  if (kind.ask != nullptr) return kind.ask(tables);
  const std::string text = std::string(kRelations) + ", " +
                           dependants::UsersTriggers("SELECT leaving FROM pair") + ", " +
                           rebuild::NotedOf("SELECT leaving FROM pair") + ", " + kAltered +
                           "SELECT * FROM (" + kind.rows + ") AS q (at, statement)";
  return ValuesOf(tables).Bind(text);
}

}  // namespace pgalter::cutover
