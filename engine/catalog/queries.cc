#include "engine/catalog/queries.h"

#include <fmt/format.h>

namespace pgalter::live {
namespace {

// Neither the system's nor a session's own.
constexpr const char* kOurs =
    "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp_)'";

constexpr const char* kSchemas = R"sql(
SELECT n.nspname FROM pg_namespace n WHERE {ours}
)sql";

constexpr const char* kRelations = R"sql(
SELECT c.oid, n.nspname, c.relname, c.relkind::text, c.relpersistence::text, c.relrowsecurity,
       pg_get_userbyid(c.relowner), coalesce(s.spcname, ''), coalesce(am.amname, ''),
       coalesce(pg_get_expr(c.relpartbound, c.oid), ''),
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) ELSE '' END,
       coalesce(tn.nspname, ''), coalesce(t.typname, ''), c.reltuples::float8,
       c.relreplident::text
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_type t ON t.oid = c.reloftype
LEFT JOIN pg_namespace tn ON tn.oid = t.typnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND {ours}
)sql";

// Composite types' attributes as well. A collation counts where it is not that of the type. DEFAULT
// NULL is none; where the type has a length, the server keeps it. A NOT NULL that is not valid, as
// there may be from PostgreSQL 18 on, lets NULLs be.
constexpr const char* kColumns = R"sql(
SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
       a.attnotnull AND NOT EXISTS (
         SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'n'
           AND k.conkey = ARRAY[a.attnum] AND NOT k.convalidated),
       d.adbin IS NOT NULL AND a.attgenerated = '' AND pg_get_expr(d.adbin, d.adrelid) !~ '^NULL::',
       a.attidentity <> '', a.attgenerated::text,
       CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) ELSE '' END,
       CASE WHEN a.attcollation <> t.typcollation THEN l.collname ELSE '' END, a.attislocal,
       CASE WHEN a.attgenerated = '' THEN coalesce(pg_get_expr(d.adbin, d.adrelid), '') ELSE '' END,
       CASE WHEN a.attstattarget >= 0 THEN a.attstattarget::text ELSE '' END
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND a.attnum > 0 AND NOT a.attisdropped AND {ours}
ORDER BY a.attrelid, a.attnum
)sql";

// A partition that DETACH CONCURRENTLY has half taken out is one no longer.
constexpr const char* kParents = R"sql(
SELECT i.inhrelid, i.inhparent
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {pending} AND {ours}
ORDER BY i.inhrelid, i.inhseqno
)sql";

// Left out: triggers' own, and the copies of a foreign key that the server keeps for each partition
// of the table it points at.
constexpr const char* kConstraints = R"sql(
SELECT c.conrelid, c.contypid, c.conname, c.contype::text, c.convalidated, c.condeferrable,
       c.condeferred, c.connoinherit, c.conislocal, coalesce(p.conname, ''), c.confrelid,
       c.confupdtype::text, c.confdeltype::text, coalesce(array_to_string(c.conkey, ' '), ''),
       coalesce(array_to_string(c.confkey, ' '), ''),
       CASE WHEN c.contype = 'c' THEN pg_get_constraintdef(c.oid) ELSE '' END, {enforced},
       c.confmatchtype = 'f', {set_columns}
FROM pg_constraint c
JOIN pg_namespace n ON n.oid = c.connamespace
LEFT JOIN pg_constraint p ON p.oid = c.conparentid
WHERE c.contype IN ('c', 'f', 'p', 'u', 'x', 'n') AND p.conrelid IS DISTINCT FROM c.conrelid AND {ours}
ORDER BY c.oid
)sql";

// Only what column numbers cannot say is rendered: expressions, conditions, and operator classes
// and collations that are not the default.
constexpr const char* kIndexes = R"sql(
SELECT i.indexrelid, i.indrelid, n.nspname, c.relname, i.indisunique, i.indisvalid, am.amname,
       i.indkey::text, i.indnkeyatts, i.indoption::text,
       EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid
               AND k.contype IN ('p', 'u', 'x')),
       CASE WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
                 OR EXISTS (SELECT FROM unnest(i.indclass::oid[]) AS o (oid)
                            JOIN pg_opclass oc ON oc.oid = o.oid WHERE NOT oc.opcdefault)
                 OR EXISTS (SELECT FROM pg_attribute ia
                            JOIN unnest(i.indkey::int2[], i.indcollation::oid[]) AS k (num, coll)
                              ON ia.attnum = k.num
                            WHERE ia.attrelid = i.indrelid AND k.coll NOT IN (0, ia.attcollation))
                 OR EXISTS (SELECT FROM pg_attribute xa
                            WHERE xa.attrelid = i.indexrelid AND xa.attoptions IS NOT NULL)
            THEN pg_get_indexdef(i.indexrelid) ELSE '' END,
       {nulls_not_distinct}, coalesce(ts.spcname, ''),
       coalesce(array_to_string(c.reloptions, chr(31)), '')
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid AND t.relkind IN ('r', 'p', 'm')
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
WHERE i.indislive AND {ours}
ORDER BY i.indexrelid
)sql";

// What a partition has from its parent is left out, as the statements leave it out.
constexpr const char* kTriggers = R"sql(
SELECT t.tgrelid, t.tgname, coalesce(array_to_string(t.tgattr::int2[], ' '), ''), fn.nspname, p.proname,
       CASE WHEN t.tgqual IS NOT NULL THEN pg_get_triggerdef(t.oid) ELSE '' END
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_namespace fn ON fn.oid = p.pronamespace
WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND {ours}
ORDER BY t.tgname
)sql";

constexpr const char* kPolicies = R"sql(
SELECT p.polrelid, p.polname FROM pg_policy p
JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {ours} ORDER BY p.polname
)sql";

constexpr const char* kPolicyReads = R"sql(
SELECT DISTINCT p.polrelid, a.attname FROM pg_policy p
JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid = p.polrelid
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
ORDER BY 1, 2
)sql";

constexpr const char* kRules = R"sql(
SELECT r.ev_class, r.rulename FROM pg_rewrite r
JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND {ours} ORDER BY r.rulename
)sql";

constexpr const char* kViewReads = R"sql(
SELECT r.ev_class, rn.nspname, rc.relname, coalesce(a.attname, '')
FROM pg_rewrite r
JOIN pg_class c ON c.oid = r.ev_class AND c.relkind IN ('v', 'm')
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
JOIN pg_class rc ON rc.oid = d.refobjid AND rc.relkind IN ('r', 'p', 'f', 'v', 'm')
JOIN pg_namespace rn ON rn.oid = rc.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
WHERE r.rulename = '_RETURN' AND {ours}
ORDER BY r.ev_class, d.refobjid, d.refobjsubid
)sql";

constexpr const char* kSequences = R"sql(
SELECT d.objid, tn.nspname, t.relname, a.attname
FROM pg_depend d
JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class t ON t.oid = d.refobjid
JOIN pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
  AND d.deptype IN ('a', 'i') AND {ours}
)sql";

// Neither tables' row types nor array types.
constexpr const char* kTypes = R"sql(
SELECT t.oid, n.nspname, t.typname,
       CASE WHEN t.typtype = 'p' AND NOT t.typisdefined THEN 's' ELSE t.typtype::text END, t.typrelid,
       CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) ELSE '' END,
       t.typnotnull, t.typdefault IS NOT NULL
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE (t.typtype IN ('d', 'e', 'r') OR (t.typtype = 'c' AND c.relkind = 'c')
       OR (t.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid))
       OR (t.typtype = 'p' AND NOT t.typisdefined)) AND {ours}
)sql";

constexpr const char* kEnumValues = R"sql(
SELECT e.enumtypid, e.enumlabel FROM pg_enum e
JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE {ours} ORDER BY e.enumtypid, e.enumsortorder
)sql";

// Without those that a range type brings along.
constexpr const char* kFunctions = R"sql(
SELECT n.nspname, p.proname, p.pronargs, p.pronargdefaults, p.provolatile::text, l.lanname,
       coalesce(p.prosrc, ''),
       (SELECT coalesce(string_agg(format_type(a.type, NULL), E'\x1f' ORDER BY a.place), '')
        FROM unnest(p.proargtypes) WITH ORDINALITY a (type, place))
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
WHERE p.prokind IN ('f', 'p', 'w') AND {ours}
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                  AND d.refclassid = 'pg_type'::regclass AND d.deptype = 'i')
ORDER BY p.oid
)sql";

constexpr const char* kExtensions = "SELECT extname FROM pg_extension ORDER BY extname";

constexpr const char* kTablespace = R"sql(
SELECT t.spcname FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace
WHERE d.datname = current_database()
)sql";

}  // namespace

const char* const kSizes = R"sql(
SELECT c.oid, pg_total_relation_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_(toast|temp_)'
)sql";

const char* const kSizesByPages = R"sql(
SELECT c.oid, (c.relpages::bigint + coalesce(t.relpages, 0)
               + coalesce((SELECT sum(x.relpages) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                           WHERE i.indrelid IN (c.oid, c.reltoastrelid)), 0))
              * current_setting('block_size')::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
WHERE c.relkind IN ('r', 'm') AND c.relpages > 0
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp_)'
)sql";

std::vector<std::string> CatalogQueries(int server_version) {
  constexpr int kHasPendingDetach = 140'000;
  constexpr int kHasNullsNotDistinct = 150'000;  // and ON DELETE SET NULL (…)
  constexpr int kHasEnforced = 180'000;
  const char* pending = server_version >= kHasPendingDetach ? "NOT i.inhdetachpending" : "true";
  const char* enforced = server_version >= kHasEnforced ? "c.conenforced" : "true";
  const bool has_nulls = server_version >= kHasNullsNotDistinct;
  const char* nulls_not_distinct = has_nulls ? "i.indnullsnotdistinct" : "false";
  const char* set_columns =
      has_nulls ? "coalesce(array_to_string(c.confdelsetcols, ' '), '')" : "''";
  std::vector<std::string> queries;
  for (const char* query : {kSchemas, kRelations, kColumns, kParents, kConstraints, kIndexes,
                            kTriggers, kPolicies, kPolicyReads, kRules, kViewReads, kSequences,
                            kTypes, kEnumValues, kFunctions, kExtensions, kTablespace})
    queries.push_back(fmt::format(fmt::runtime(query), fmt::arg("ours", kOurs),
                                  fmt::arg("pending", pending), fmt::arg("enforced", enforced),
                                  fmt::arg("nulls_not_distinct", nulls_not_distinct),
                                  fmt::arg("set_columns", set_columns)));
  return queries;
}

}  // namespace pgalter::live
