#include "migrations/history/schema_lines.h"

#include <algorithm>
#include <iterator>

#include "engine/state/schemas_of_runs.h"

namespace pgalter::history {

namespace {

// Not what runs have as long as there is a way back: their schemas, and triggers that call
// functions in those.
constexpr const char* kLines = R"sql(
WITH ours AS (
  SELECT * FROM pg_namespace
  WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'pgalter')
    AND nspname <> ALL ($2::text[])
), relations AS (
  SELECT c.*, c.oid::regclass AS called FROM pg_class c JOIN ours n ON n.oid = c.relnamespace
)
SELECT concat_ws(' ', 'schema', quote_ident(nspname), 
  CASE WHEN $1::boolean THEN concat_ws(' ', 'owner', pg_get_userbyid(nspowner), 'acl', nspacl) END) FROM ours
UNION ALL
SELECT concat_ws(' ', 'relation', called, 'kind', relkind, 'persistence', relpersistence,
  CASE WHEN $1::boolean THEN concat_ws(' ', 'owner', pg_get_userbyid(relowner), 'acl', relacl) END, 'options', reloptions,
  'row security', relrowsecurity, relforcerowsecurity, 'identity', relreplident,
  'comment', obj_description(oid, 'pg_class')) FROM relations
UNION ALL
SELECT concat_ws(' ', 'column', concat(r.called, '.', quote_ident(a.attname)),
  format_type(a.atttypid, a.atttypmod), 'not null', a.attnotnull, 'identity', a.attidentity,
  'generated', a.attgenerated, 'collation', a.attcollation::regcollation,
  'storage', a.attstorage, CASE WHEN $1::boolean THEN concat_ws(' ', 'acl', a.attacl) END, 'default', pg_get_expr(d.adbin, d.adrelid),
  'comment', col_description(r.oid, a.attnum))
  FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0
  AND NOT a.attisdropped LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
  WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
UNION ALL
SELECT concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid), 'valid', i.indisvalid,
  'replica identity', i.indisreplident)
  FROM pg_index i JOIN relations r ON r.oid = i.indexrelid
UNION ALL
SELECT concat_ws(' ', 'constraint', NULLIF(conrelid, 0)::regclass, NULLIF(contypid, 0)::regtype,
  quote_ident(conname), pg_get_constraintdef(k.oid), 'validated', convalidated)
  FROM pg_constraint k JOIN ours n ON n.oid = k.connamespace
UNION ALL
SELECT concat_ws(' ', 'view', called, pg_get_viewdef(oid)) FROM relations
  WHERE relkind IN ('v', 'm')
UNION ALL
SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid), 'enabled', t.tgenabled)
  FROM pg_trigger t JOIN relations r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
  AND NOT EXISTS (SELECT FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE f.oid = t.tgfoid AND (n.nspname = 'pgalter' OR n.nspname = ANY ($2::text[])))
UNION ALL
SELECT concat_ws(' ', 'rule', pg_get_ruledef(w.oid)) FROM pg_rewrite w
  JOIN relations r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT concat_ws(' ', 'policy', r.called, quote_ident(p.polname), p.polcmd, p.polpermissive,
  'roles', p.polroles::regrole[], 'using', pg_get_expr(p.polqual, p.polrelid),
  'check', pg_get_expr(p.polwithcheck, p.polrelid))
  FROM pg_policy p JOIN relations r ON r.oid = p.polrelid
UNION ALL
SELECT concat_ws(' ', 'partition', i.inhrelid::regclass, 'of', i.inhparent::regclass,
  pg_get_expr(r.relpartbound, r.oid)) FROM pg_inherits i JOIN relations r ON r.oid = i.inhrelid
UNION ALL
SELECT concat_ws(' ', 'partitioned', called, pg_get_partkeydef(oid)) FROM relations
  WHERE relkind = 'p'
UNION ALL
SELECT concat_ws(' ', 'sequence', r.called, format_type(s.seqtypid, NULL), s.seqstart,
  s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle)
  FROM pg_sequence s JOIN relations r ON r.oid = s.seqrelid
UNION ALL
SELECT concat_ws(' ', 'routine', f.oid::regprocedure, 'kind', f.prokind,
  CASE WHEN $1::boolean THEN concat_ws(' ', 'owner', pg_get_userbyid(f.proowner), 'acl', f.proacl) END,
  CASE WHEN f.prokind <> 'a' THEN pg_get_functiondef(f.oid) END)
  FROM pg_proc f JOIN ours n ON n.oid = f.pronamespace
UNION ALL
SELECT concat_ws(' ', 'type', t.oid::regtype, 'kind', t.typtype,
  CASE WHEN $1::boolean THEN concat_ws(' ', 'owner', pg_get_userbyid(t.typowner)) END, 'base', NULLIF(t.typbasetype, 0)::regtype, t.typtypmod,
  'not null', t.typnotnull, 'default', t.typdefault)
  FROM pg_type t JOIN ours n ON n.oid = t.typnamespace
  WHERE t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND EXISTS (
    SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')
UNION ALL
SELECT concat_ws(' ', 'label', e.enumtypid::regtype,
  string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder))
  FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN ours n ON n.oid = t.typnamespace
  GROUP BY e.enumtypid
UNION ALL
SELECT concat_ws(' ', 'statistics', pg_get_statisticsobjdef(s.oid))
  FROM pg_statistic_ext s JOIN ours n ON n.oid = s.stxnamespace
UNION ALL
SELECT concat_ws(' ', 'extension', quote_ident(extname), extversion) FROM pg_extension
)sql";

}  // namespace

Task<SchemaLines> ReadSchemaLines(guard::Session& session, Owners owners) {
  const auto of_runs = co_await state::SchemasOfRuns(session);
  const pg::Result rows = co_await session.db().Query(kLines, owners == Owners::kWith, of_runs);
  SchemaLines lines;
  for (int i = 0; i < rows.rows(); ++i) lines.push_back(rows.Get<std::string>(i, 0));
  std::ranges::sort(lines);
  co_return lines;
}

SchemaDifference DifferenceOf(const SchemaLines& before, const SchemaLines& after) {
  SchemaDifference difference;
  std::ranges::set_difference(before, after, std::back_inserter(difference.gone));
  std::ranges::set_difference(after, before, std::back_inserter(difference.fresh));
  return difference;
}

}  // namespace pgalter::history
