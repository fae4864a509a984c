#include "migrations/emit/objects.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "engine/state/schemas_of_runs.h"

namespace pgalter::emit {

namespace {

constexpr const char* kObjects = R"sql(
WITH extended AS (
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), ours AS (
  SELECT * FROM pg_namespace n
  WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'pgalter')
  AND nspname <> ALL ($1::text[]) -- of runs with a way back
), relations AS (
  SELECT c.*, c.oid::regclass::text AS called FROM pg_class c JOIN ours n ON n.oid = c.relnamespace
  WHERE (SELECT count(*) FROM extended e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid) = 0
), types AS (
  SELECT t.*, t.oid::regtype::text AS called FROM pg_type t JOIN ours n ON n.oid = t.typnamespace
  WHERE (SELECT count(*) FROM extended e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid) = 0
), routines AS (
  SELECT f.*, f.oid::regprocedure::text AS called FROM pg_proc f JOIN ours n ON n.oid = f.pronamespace
  WHERE (SELECT count(*) FROM extended e WHERE e.classid = 'pg_proc'::regclass AND e.objid = f.oid) = 0
  AND f.prosrc !~ '^(multi)?range_constructor[0-3]$' -- they come with their type
)
SELECT 'schema', quote_ident(nspname), '', oid, '{}'::jsonb FROM ours
  WHERE (SELECT count(*) FROM extended e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = ours.oid) = 0
UNION ALL
SELECT 'extension', quote_ident(extname), '', e.oid, jsonb_build_object('version', quote_literal(extversion),
  'schema', quote_ident(n.nspname), 'movable', extrelocatable)
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE n.nspname <> 'pg_catalog'
UNION ALL
SELECT 'enum', t.called, '', t.oid, jsonb_build_object('labels', (SELECT jsonb_agg(quote_literal(enumlabel)
  ORDER BY enumsortorder)::text FROM pg_enum e WHERE e.enumtypid = t.oid)) FROM types t WHERE typtype = 'e'
UNION ALL
SELECT 'domain', t.called, '', t.oid, jsonb_build_object('base', format_type(typbasetype, typtypmod),
  'collation', CASE WHEN typcollation <> (SELECT b.typcollation FROM pg_type b WHERE b.oid = t.typbasetype)
    THEN typcollation::regcollation::text END, 'default', typdefault, 'not null', typnotnull)
  FROM types t WHERE typtype = 'd'
UNION ALL
SELECT 'composite', t.called, '', t.oid, '{}' FROM types t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
UNION ALL
SELECT 'attribute', concat(t.called, '.', quote_ident(a.attname)), t.called, a.attnum,
  jsonb_build_object('name', quote_ident(a.attname), 'type', format_type(a.atttypid, a.atttypmod), 'collation',
    CASE WHEN a.attcollation <> y.typcollation THEN a.attcollation::regcollation::text END)
  FROM types t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_type y ON y.oid = a.atttypid
UNION ALL
SELECT 'range', t.called, '', t.oid, jsonb_build_object('definition', concat_ws(', ',
  'subtype = ' || format_type(r.rngsubtype, NULL), 'subtype_opclass = ' || (SELECT concat(quote_ident(n.nspname), '.',
    quote_ident(o.opcname)) FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace WHERE o.oid = r.rngsubopc AND NOT o.opcdefault),
  'collation = ' || NULLIF(r.rngcollation, s.typcollation)::regcollation::text,
  'canonical = ' || NULLIF(r.rngcanonical, 0)::regproc::text, 'subtype_diff = ' || NULLIF(r.rngsubdiff, 0)::regproc::text,
  'multirange_type_name = ' || r.rngmultitypid::regtype::text))
  FROM types t JOIN pg_range r ON r.rngtypid = t.oid JOIN pg_type s ON s.oid = r.rngsubtype WHERE t.typtype = 'r'
UNION ALL
SELECT 'sequence', r.called, '', r.oid, jsonb_build_object('kind', CASE WHEN d.deptype = 'i' THEN 'identity' END,
  'type', format_type(s.seqtypid, NULL), 'start', s.seqstart::text, 'increment', s.seqincrement::text, 'min', s.seqmin::text,
  'max', s.seqmax::text, 'cache', s.seqcache::text, 'cycle', s.seqcycle, 'unlogged', r.relpersistence = 'u', 'owner', CASE WHEN d.deptype = 'a' THEN
    concat(d.refobjid::regclass, '.', quote_ident((SELECT attname FROM pg_attribute WHERE attrelid = d.refobjid
    AND attnum = d.refobjsubid))) END)
  FROM pg_sequence s JOIN relations r ON r.oid = s.seqrelid LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass
  AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
UNION ALL
SELECT 'table', r.called, '', r.oid, jsonb_build_object('kind', relkind, 'unlogged', relpersistence = 'u', 'options',
  array_to_string(reloptions, ', '), 'security', relrowsecurity, 'force', relforcerowsecurity, 'replica', relreplident,
  'replica index', (SELECT quote_ident(c.relname) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = r.oid AND i.indisreplident),
  'partitioned', CASE WHEN relkind = 'p' THEN pg_get_partkeydef(r.oid) END) FROM relations r WHERE relkind IN ('r', 'p')
UNION ALL
SELECT 'column', concat(r.called, '.', quote_ident(a.attname)), r.called, a.attnum, jsonb_build_object(
  'name', quote_ident(a.attname), 'type', format_type(a.atttypid, a.atttypmod), 'not null', a.attnotnull,
  'identity', NULLIF(a.attidentity, ''), 'generated', NULLIF(a.attgenerated, ''), 'default', pg_get_expr(d.adbin, d.adrelid),
  'collation', CASE WHEN a.attcollation <> y.typcollation THEN a.attcollation::regcollation::text END,
  'storage', CASE a.attstorage WHEN y.typstorage THEN 'default' WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL'
    WHEN 'x' THEN 'EXTENDED' ELSE 'MAIN' END, 'own storage', CASE y.typstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL'
    WHEN 'x' THEN 'EXTENDED' ELSE 'MAIN' END,
  'inherited', a.attinhcount > 0)
  FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
  WHERE r.relkind IN ('r', 'p')
UNION ALL
SELECT 'column default', concat(r.called, '.', quote_ident(a.attname)), r.called, a.attnum, jsonb_build_object(
  'name', quote_ident(a.attname), 'default', pg_get_expr(d.adbin, d.adrelid)) FROM relations r
  JOIN pg_attribute a ON a.attrelid = r.oid JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum WHERE r.relkind = 'v'
UNION ALL
SELECT 'index', r.called, i.indrelid::regclass::text, r.oid, jsonb_build_object('definition', pg_get_indexdef(r.oid),
  'invalid', NOT i.indisvalid AND r.relkind = 'i')
  FROM pg_index i JOIN relations r ON r.oid = i.indexrelid
  WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = r.oid AND k.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT 'constraint', concat(COALESCE(NULLIF(conrelid, 0)::regclass::text, contypid::regtype::text), '.', quote_ident(conname)),
  COALESCE(NULLIF(conrelid, 0)::regclass::text, contypid::regtype::text), k.oid, jsonb_build_object('name', quote_ident(conname),
  'of', CASE WHEN conrelid = 0 THEN 'DOMAIN' ELSE 'TABLE' END, 'type', contype, 'definition', pg_get_constraintdef(k.oid),
  'validated', convalidated, 'inherited', contype = 'f' AND conparentid <> 0 OR coninhcount > 0 AND NOT conislocal AND contype = 'c'
    AND NOT (SELECT relispartition FROM pg_class c WHERE c.oid = conrelid))
  FROM pg_constraint k JOIN ours n ON n.oid = k.connamespace LEFT JOIN relations r ON r.oid = k.conrelid
  LEFT JOIN types t ON t.oid = k.contypid WHERE contype IN ('c', 'f', 'p', 'u', 'x') AND (r.oid IS NOT NULL OR t.oid IS NOT NULL)
UNION ALL
SELECT 'attached', r.called, r.called, r.oid, jsonb_build_object('parent', i.inhparent::regclass::text, 'index', relkind IN ('i', 'I'),
  'bound', pg_get_expr(r.relpartbound, r.oid)) FROM pg_inherits i JOIN relations r ON r.oid = i.inhrelid
UNION ALL
SELECT CASE relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, called, '', oid, jsonb_build_object('definition',
  rtrim(pg_get_viewdef(oid), '; '), 'options', array_to_string(reloptions, ', '), 'columns', (SELECT string_agg(concat(
  quote_ident(attname), ' ', format_type(atttypid, atttypmod)), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid =
  relations.oid AND attnum > 0), 'stands on', (SELECT string_agg(DISTINCT d.refobjid::regclass::text, E'\n') FROM pg_rewrite w
  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
  WHERE w.ev_class = relations.oid AND d.refobjid <> relations.oid)) FROM relations WHERE relkind IN ('v', 'm')
UNION ALL
SELECT 'trigger', concat(r.called, '.', quote_ident(t.tgname)), r.called, t.oid, jsonb_build_object('name', quote_ident(t.tgname),
  'definition', pg_get_triggerdef(t.oid), 'enabled', t.tgenabled, 'inherited', t.tgparentid <> 0)
  FROM pg_trigger t JOIN relations r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
  AND NOT EXISTS (SELECT FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE f.oid = t.tgfoid AND (n.nspname = 'pgalter' OR n.nspname = ANY ($1::text[])))
UNION ALL
SELECT 'rule', concat(r.called, '.', quote_ident(w.rulename)), r.called, w.oid, jsonb_build_object('name', quote_ident(w.rulename),
  'definition', rtrim(pg_get_ruledef(w.oid), ';')) FROM pg_rewrite w JOIN relations r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT 'policy', concat(r.called, '.', quote_ident(p.polname)), r.called, p.oid, jsonb_build_object('name', quote_ident(p.polname),
  'definition', concat_ws(' ', 'AS', CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END, 'FOR', CASE p.polcmd
  WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END, 'TO',
  (SELECT string_agg(CASE WHEN o = 0 THEN 'PUBLIC' ELSE o::regrole::text END, ', ') FROM unnest(p.polroles) o),
  'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', 'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'))
  FROM pg_policy p JOIN relations r ON r.oid = p.polrelid
UNION ALL
SELECT CASE WHEN prokind = 'a' THEN 'aggregate' ELSE 'routine' END, called, '', oid, jsonb_build_object('definition',
  CASE WHEN prokind <> 'a' THEN pg_get_functiondef(oid) END, 'shape', concat_ws(' ', prokind, pg_get_function_result(oid),
  pg_get_function_arguments(oid))) FROM routines
UNION ALL
SELECT 'statistics', concat(quote_ident(n.nspname), '.', quote_ident(stxname)), s.stxrelid::regclass::text, s.oid,
  jsonb_build_object('definition', pg_get_statisticsobjdef(s.oid)) FROM pg_statistic_ext s JOIN ours n ON n.oid = s.stxnamespace
UNION ALL
SELECT 'foreign table', called, '', oid, '{}' FROM relations WHERE relkind = 'f'
UNION ALL
SELECT 'comment', concat_ws(' ', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
  WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'INDEX' WHEN 'c' THEN 'TYPE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, called), called, oid,
  jsonb_build_object('text', quote_literal(obj_description(oid, 'pg_class'))) FROM relations
  WHERE obj_description(oid, 'pg_class') IS NOT NULL
UNION ALL
SELECT 'comment', concat('COLUMN ', r.called, '.', quote_ident(a.attname)), CASE WHEN r.relkind IN ('r', 'p', 'c') THEN
  concat(r.called, '.', quote_ident(a.attname)) ELSE r.called END, a.attnum, jsonb_build_object('text', quote_literal(
  col_description(r.oid, a.attnum))) FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0
  AND NOT a.attisdropped WHERE col_description(r.oid, a.attnum) IS NOT NULL
)sql";

std::string TextOf(const boost::json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  return value.is_bool() ? (value.get_bool() ? "true" : "false") : "";
}

}  // namespace

Task<std::vector<Object>> ReadObjects(guard::Session& session) {
  const auto of_runs = co_await state::SchemasOfRuns(session);
  const pg::Result rows = co_await session.db().Query(kObjects, of_runs);
  std::vector<Object> objects;
  for (int i = 0; i < rows.rows(); ++i) {
    Object object;
    object.kind = rows.Get<std::string>(i, 0);
    object.key = rows.Get<std::string>(i, 1);
    object.on = rows.Get<std::string>(i, 2);
    object.oid = std::stoll(std::string(rows.Bytes(i, 3)));
    const auto facts = boost::json::parse(rows.Get<std::string>(i, 4));
    for (const auto& [name, value] : facts.as_object())
      if (!value.is_null()) object.facts[std::string(name)] = TextOf(value);
    objects.push_back(std::move(object));
  }
  co_return objects;
}

}  // namespace pgalter::emit
