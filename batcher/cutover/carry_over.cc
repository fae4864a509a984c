#include "batcher/cutover/carry_over.h"

#include <array>
#include <cstdint>

#include "batcher/capture/parts.h"
#include "batcher/dependants/labels.h"
#include "batcher/dependants/publications.h"
#include "batcher/rebuild/mapping.h"
#include "engine/async/fail_point.h"

namespace pgalter::cutover {

namespace {

// Each query: $1 the table that leaves its place, $2 its name, $3 its name to be, $4 the table that
// comes, $5 the name that it has now, $6 what was still to be validated, $7 the tables that carry
// their own keys in the same transaction, $8 what was still to be adopted, $9 the keys that are not
// made again, $10 views that are seen to elsewhere, $11 whether partitions are alike, $12 columns
// that have other names in the table that comes, $13 these. A row is a statement and when it runs:
// b(efore), a(fter), v(alidate), l(ast). `leaving` and `coming` are the two tables with their
// partitions at whatever depth, by their names of now and by those to be; has_rows: not
// partitioned; carried: of a table in it the keys are seen to elsewhere; going: those of $9, and
// their parts on partitions; inbound_key: all to the table, by
// what depends on it, as pg_constraint has no index for them; pair: which gets what which one has;
// same: columns of the one and of the other.

constexpr const char* kGiven = R"sql(
WITH RECURSIVE given AS (SELECT $1::oid, $2::text, $3::text, $4::oid, $5::text, $6::text[],
                                $7::int8[], $8::text[], $9::text[], $10::int8[], $11::bool,
                                $12::text[], $13::text[]),
same AS (
  SELECT t.attname::text AS old, t.attname::text AS new FROM pg_attribute t
  WHERE t.attrelid = $4 AND t.attnum > 0 AND NOT t.attisdropped
    AND t.attname <> ALL ($12::text[]) AND t.attname <> ALL ($13::text[])
  UNION ALL SELECT u.old, u.new FROM unnest($12::text[], $13::text[]) u (old, new)),
tree (root, oid, relname, relkind, schema) AS (
  SELECT c.oid, c.oid, c.relname, c.relkind, c.relnamespace FROM pg_class c WHERE c.oid IN ($1, $4)
  UNION ALL
  SELECT t.root, c.oid, c.relname, c.relkind, c.relnamespace
  FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid JOIN pg_class c ON c.oid = i.inhrelid
  WHERE t.relkind = 'p'),
leaving AS (
  SELECT t.oid, t.relname, format('%I.%I', n.nspname, t.relname) AS name
  FROM tree t JOIN pg_namespace n ON n.oid = t.schema WHERE t.root = $1),
coming AS (
  SELECT t.oid, t.relname, format('%I.%I', n.nspname, t.relname) AS name,
         t.relkind <> 'p' AS has_rows
  FROM tree t, pg_class l JOIN pg_namespace n ON n.oid = l.relnamespace
  WHERE t.root = $4 AND l.oid = $1),
carried (oid) AS (
  SELECT oid FROM leaving UNION SELECT u::oid FROM unnest($7::int8[]) u
  UNION SELECT p.relid::oid FROM unnest($7::int8[]) u, pg_partition_tree(u::oid::regclass) p),
inbound_key (oid) AS (
  SELECT DISTINCT objid FROM pg_depend WHERE classid = 'pg_constraint'::regclass
    AND refclassid = 'pg_class'::regclass AND refobjid = $1),
going (oid) AS (
  SELECT f.oid FROM inbound_key JOIN pg_constraint f USING (oid) JOIN pg_class c ON c.oid = f.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE f.confrelid = $1 AND f.contype = 'f' AND $9 <> '{}'
    AND format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, f.conname,
               pg_get_constraintdef(f.oid)) = ANY ($9)
  UNION ALL SELECT f.oid FROM going g CROSS JOIN LATERAL (
    SELECT oid FROM pg_constraint WHERE conparentid = g.oid OFFSET 0) f),
pair (leaving, coming, name) AS (
  SELECT $1::oid, $4::oid, $2::text
  UNION ALL
  SELECT l.oid, c.oid, c.name FROM leaving l JOIN coming c USING (relname)
  WHERE $11 AND l.oid <> $1 AND c.oid <> $4)
)sql";

// Serial columns: a sequence follows its owner into another schema, so it has none for a moment.
// Where the new column has one of its own, it stays with the old table.
constexpr const char* kSequences = R"sql(
SELECT w.at, CASE w.at WHEN 'b' THEN format('ALTER SEQUENCE %s OWNED BY NONE', s.name)
                       ELSE format('ALTER SEQUENCE %s OWNED BY %s.%I', s.name, $2, m.new) END
FROM (SELECT format('%I.%I', n.nspname, q.relname) AS name, a.attname
      FROM pg_depend d JOIN pg_class q ON q.oid = d.objid AND q.relkind = 'S'
      JOIN pg_namespace n ON n.oid = q.relnamespace
      JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
        AND d.refobjid = $1 AND d.deptype = 'a') s
JOIN same m ON m.old = s.attname
CROSS JOIN (VALUES ('b'), ('a')) w (at)
WHERE EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = $4
              AND t.attname = m.new AND NOT t.attisdropped
              AND pg_get_serial_sequence($5, t.attname) IS NULL)
)sql";

// Identity: the number goes on where the old sequence was, never from max().
constexpr const char* kIdentities = R"sql(
SELECT 'b', format('SELECT setval(%L::regclass, last_value, is_called) FROM %s',
                   pg_get_serial_sequence($5, t.attname), pg_get_serial_sequence($2, s.attname))
FROM pg_attribute s JOIN same m ON m.old = s.attname
JOIN pg_attribute t ON t.attname = m.new AND t.attrelid = $4
WHERE s.attrelid = $1 AND s.attnum > 0 AND t.attnum > 0
  AND NOT s.attisdropped AND NOT t.attisdropped
  AND pg_get_serial_sequence($5, t.attname) IS NOT NULL
  AND pg_get_serial_sequence($2, s.attname) IS NOT NULL
UNION ALL
SELECT 'b', format('ALTER SEQUENCE %s RENAME TO %I', pg_get_serial_sequence($5, t.attname), o.relname)
FROM pg_attribute s JOIN same m ON m.old = s.attname
JOIN pg_attribute t ON t.attname = m.new AND t.attrelid = $4
JOIN pg_class o ON o.oid = pg_get_serial_sequence($2, s.attname)::regclass
JOIN pg_class q ON q.oid = pg_get_serial_sequence($5, t.attname)::regclass
WHERE s.attrelid = $1 AND s.attidentity <> '' AND t.attidentity <> '' AND q.relname <> o.relname
  AND NOT s.attisdropped AND NOT t.attisdropped
)sql";

// A stale row in the old table must not keep users from deleting its parent. A partitioned table
// takes no NOT VALID key before PostgreSQL 18: its partitions do, and when these are validated the
// table adopts them without a scan.
constexpr const char* kOwnKeys = R"sql(
WITH outbound AS (
  SELECT DISTINCT ON (f.conname) f.conname,
         f.convalidated OR format('ALTER TABLE %s VALIDATE CONSTRAINT %I', l.name, f.conname)
           = ANY ($6::text[]) AS convalidated,
         regexp_replace(pg_get_constraintdef(f.oid), ' NOT VALID$', '') AS definition
  FROM leaving l JOIN pg_constraint f ON f.conrelid = l.oid
  WHERE f.contype = 'f' AND f.conparentid = 0 AND f.oid NOT IN (SELECT oid FROM going)
    AND NOT EXISTS (SELECT FROM unnest(f.conkey) k
                    JOIN pg_attribute s ON s.attrelid = f.conrelid AND s.attnum = k
                    WHERE NOT EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = $4
                                      AND t.attname = s.attname AND NOT t.attisdropped))
  ORDER BY f.conname, f.conrelid)
SELECT 'b', format('ALTER TABLE %s DROP CONSTRAINT %I', l.name, f.conname)
FROM leaving l JOIN pg_constraint f ON f.conrelid = l.oid
WHERE f.contype = 'f' AND f.conparentid = 0
UNION ALL
SELECT 'a', format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', c.name, conname, definition)
FROM outbound, coming c WHERE c.has_rows
UNION ALL
SELECT 'v', format('ALTER TABLE %s VALIDATE CONSTRAINT %I', c.name, conname)
FROM outbound, coming c WHERE c.has_rows AND convalidated
UNION ALL
SELECT 'l', format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.name, conname, definition)
FROM outbound, coming c WHERE c.oid = $4 AND NOT c.has_rows
)sql";

// Those of a partitioned table are added to its partitions, as above, and adopted then. A partition
// may be gone by the time its key is validated.
constexpr const char* kInboundKeys = R"sql(
WITH found AS (
  SELECT f.oid, f.conrelid, f.conname, f.convalidated, c.relkind = 'p' AS partitioned,
         c.relispartition, format('%I.%I', n.nspname, c.relname) AS name,
         NOT EXISTS (SELECT FROM pg_constraint p
                     WHERE p.oid = f.conparentid AND p.confrelid = f.confrelid) AS own,
         f.oid NOT IN (SELECT oid FROM going) AS stays,
         regexp_replace(pg_get_constraintdef(f.oid), ' NOT VALID$', '') AS definition
  FROM inbound_key JOIN pg_constraint f USING (oid) JOIN pg_class c ON c.oid = f.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE f.confrelid = $1 AND f.contype = 'f' AND f.conrelid NOT IN (SELECT oid FROM carried)),
inbound AS (
  SELECT *, format('ALTER TABLE %s%s VALIDATE CONSTRAINT %I',
                   CASE WHEN relispartition THEN 'IF EXISTS ' ELSE '' END, name, conname) AS validate
  FROM found)
SELECT 'b', format('ALTER TABLE %s DROP CONSTRAINT %I', name, conname) FROM inbound WHERE own
UNION ALL
SELECT 'a', format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', name, conname, definition)
FROM inbound WHERE NOT partitioned AND stays
UNION ALL
SELECT 'v', validate FROM inbound
WHERE NOT partitioned AND stays AND (convalidated OR validate = ANY ($6::text[]))
UNION ALL
SELECT 'l', format('ALTER TABLE %s ADD CONSTRAINT %I %s', name, conname, pg_get_constraintdef(oid))
FROM inbound WHERE partitioned AND own AND stays
UNION ALL
SELECT 'l', u.sql FROM unnest($8::text[]) u (sql)
WHERE EXISTS (
  SELECT FROM inbound i, pg_partition_ancestors(i.conrelid) a
  JOIN pg_class c ON c.oid = a.relid JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL (SELECT format('%I.%I', n.nspname, c.relname) AS name) t
  WHERE i.own AND i.relispartition AND a.relid <> i.conrelid
    AND (starts_with(u.sql, format('ALTER TABLE %s ADD CONSTRAINT ', t.name))
           AND right(u.sql, length(i.definition)) = i.definition
         OR starts_with(u.sql, 'COMMENT ON CONSTRAINT ')
           AND strpos(u.sql, format(' ON %s IS ', t.name)) > 0))
)sql";

// Of foreign keys, which are dropped and made again: of the table's own and of those to it. A
// partitioned table has its own when it has adopted those of its partitions, which have the comment
// until then.
constexpr const char* kKeyComments = R"sql(
WITH own AS (
  SELECT DISTINCT ON (f.conname) f.conname, obj_description(f.oid, 'pg_constraint') AS text
  FROM leaving l JOIN pg_constraint f ON f.conrelid = l.oid
  WHERE f.contype = 'f' AND (f.conparentid = 0 OR $6 <> '{}')
    AND f.oid NOT IN (SELECT oid FROM going)
    AND obj_description(f.oid, 'pg_constraint') IS NOT NULL
    AND NOT EXISTS (SELECT FROM unnest(f.conkey) k
                    JOIN pg_attribute s ON s.attrelid = f.conrelid AND s.attnum = k
                    WHERE NOT EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = $4
                                      AND t.attname = s.attname AND NOT t.attisdropped))
  ORDER BY f.conname, f.conrelid)
SELECT 'a', format('COMMENT ON CONSTRAINT %I ON %s IS %L', conname, c.name, text)
FROM own, coming c WHERE c.has_rows
UNION ALL
SELECT 'l', format('COMMENT ON CONSTRAINT %I ON %s IS %L', conname, c.name, text)
FROM own, coming c WHERE c.oid = $4 AND NOT c.has_rows
UNION ALL
SELECT 'l', format('COMMENT ON CONSTRAINT %I ON %s IS NULL', conname, c.name)
FROM own, coming c WHERE c.oid <> $4 AND c.has_rows
UNION ALL
SELECT CASE c.relkind WHEN 'p' THEN 'l' ELSE 'a' END,
       format('COMMENT ON CONSTRAINT %I ON %I.%I IS %L', f.conname, n.nspname, c.relname,
              obj_description(f.oid, 'pg_constraint'))
FROM inbound_key JOIN pg_constraint f USING (oid) JOIN pg_class c ON c.oid = f.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE f.contype = 'f' AND f.confrelid = $1 AND (f.conparentid = 0 OR c.relkind <> 'p')
  AND obj_description(f.oid, 'pg_constraint') IS NOT NULL
  AND f.conrelid NOT IN (SELECT oid FROM carried) AND f.oid NOT IN (SELECT oid FROM going)
)sql";

// A definition names the table as it is called now, which is what the new one will be called.
// Before version 15 the triggers of partitions are the server's own, which a superuser alone
// changes.
constexpr const char* kTriggers = R"sql(
SELECT 'a', pg_get_triggerdef(oid) FROM pg_trigger
WHERE tgrelid = $1 AND NOT tgisinternal AND tgname NOT LIKE 'pgalter\_%'
UNION ALL
SELECT 'a', format('ALTER TABLE %s %s TRIGGER %I', $2,
                   CASE tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA'
                                  ELSE 'ENABLE ALWAYS' END, tgname)
FROM pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal AND tgname NOT LIKE 'pgalter\_%'
  AND tgenabled <> 'O'
UNION ALL
SELECT 'a', format('COMMENT ON TRIGGER %I ON %s IS %L', tgname, $2,
                   obj_description(oid, 'pg_trigger'))
FROM pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal
  AND obj_description(oid, 'pg_trigger') IS NOT NULL
UNION ALL
SELECT 'b', format('DROP TRIGGER %I ON %s', tgname, $2) FROM pg_trigger
WHERE tgrelid = $1 AND NOT tgisinternal AND tgname NOT LIKE 'pgalter\_%'
UNION ALL
SELECT 'a', format('ALTER TABLE %s %s TRIGGER %I', p.name,
                   CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA'
                                    WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END, t.tgname)
FROM pair p JOIN pg_trigger t ON t.tgrelid = p.leaving JOIN pg_trigger w ON w.oid = t.tgparentid
WHERE p.leaving <> $1 AND NOT w.tgisinternal AND t.tgenabled <> w.tgenabled
  AND t.tgname NOT LIKE 'pgalter\_%'
  AND (NOT t.tgisinternal OR current_setting('is_superuser')::bool)
)sql";

constexpr const char* kRules = R"sql(
SELECT 'a', pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = $1 AND rulename <> '_RETURN'
UNION ALL
SELECT 'a', format('ALTER TABLE %s %s RULE %I', $2,
                   CASE ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA'
                                   ELSE 'ENABLE ALWAYS' END, rulename)
FROM pg_rewrite WHERE ev_class = $1 AND ev_enabled <> 'O'
UNION ALL
SELECT 'a', format('COMMENT ON RULE %I ON %s IS %L', rulename, $2,
                   obj_description(oid, 'pg_rewrite'))
FROM pg_rewrite WHERE ev_class = $1 AND obj_description(oid, 'pg_rewrite') IS NOT NULL
UNION ALL
SELECT 'b', format('DROP RULE %I ON %s', rulename, $2)
FROM pg_rewrite WHERE ev_class = $1 AND rulename <> '_RETURN'
)sql";

constexpr const char* kRowSecurity = R"sql(
SELECT 'a', format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', polname, $2,
                   CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                   CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                               WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                   (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC'
                                             ELSE quote_ident(pg_get_userbyid(r)) END, ', ')
                    FROM unnest(polroles) r),
                   ' USING (' || pg_get_expr(polqual, polrelid) || ')',
                   ' WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')')
FROM pg_policy WHERE polrelid = $1
UNION ALL
SELECT 'a', format('COMMENT ON POLICY %I ON %s IS %L', polname, $2, obj_description(oid, 'pg_policy'))
FROM pg_policy WHERE polrelid = $1 AND obj_description(oid, 'pg_policy') IS NOT NULL
UNION ALL
SELECT 'b', format('DROP POLICY %I ON %s', polname, $2) FROM pg_policy WHERE polrelid = $1
UNION ALL
SELECT 'a', format('ALTER TABLE %s %s ROW LEVEL SECURITY', p.name,
                   CASE WHEN s.relrowsecurity THEN 'ENABLE' ELSE 'DISABLE' END)
FROM pair p JOIN pg_class s ON s.oid = p.leaving JOIN pg_class t ON t.oid = p.coming
WHERE s.relrowsecurity <> t.relrowsecurity
UNION ALL
SELECT 'a', format('ALTER TABLE %s %s ROW LEVEL SECURITY', p.name,
                   CASE WHEN s.relforcerowsecurity THEN 'FORCE' ELSE 'NO FORCE' END)
FROM pair p JOIN pg_class s ON s.oid = p.leaving JOIN pg_class t ON t.oid = p.coming
WHERE s.relforcerowsecurity <> t.relforcerowsecurity
)sql";

// All of them are granted again, by the owner: also what somebody granted on.
constexpr const char* kGrants = R"sql(
SELECT 'a', format('REVOKE ALL ON TABLE %s FROM %s CASCADE', g.name, g.grantee)
FROM (SELECT DISTINCT p.name, CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
      FROM pair p JOIN pg_class t ON t.oid = p.coming CROSS JOIN aclexplode(t.relacl) a
      WHERE a.grantee <> t.relowner) g
UNION ALL
SELECT 'a', format('GRANT %s%s ON TABLE %s TO %s%s', a.privilege_type, o.columns, o.name,
                   CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                  ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                   CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM (SELECT p.name, c.relowner, c.relacl AS acl, '' AS columns
      FROM pair p JOIN pg_class c ON c.oid = p.leaving
      UNION ALL
      SELECT p.name, c.relowner, s.attacl, format(' (%I)', t.attname)
      FROM pair p JOIN pg_class c ON c.oid = p.leaving JOIN pg_attribute s ON s.attrelid = c.oid
      JOIN same m ON m.old = s.attname
      JOIN pg_attribute t ON t.attrelid = p.coming AND t.attname = m.new AND NOT t.attisdropped
      WHERE s.attnum > 0 AND NOT s.attisdropped) o,
     aclexplode(o.acl) a
WHERE a.grantee <> o.relowner
)sql";

constexpr const char* kComments = R"sql(
SELECT 'a', format('COMMENT ON %s %s IS %L',
                   CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, p.name,
                   obj_description(c.oid, 'pg_class'))
FROM pair p JOIN pg_class c ON c.oid = p.leaving
WHERE obj_description(c.oid, 'pg_class') IS DISTINCT FROM obj_description(p.coming, 'pg_class')
)sql";

// Their columns stay as they are, so they keep their OID, grants and dependants.
constexpr const char* kViews = R"sql(
SELECT 'a', format('CREATE OR REPLACE VIEW %I.%I%s AS %s', n.nspname, v.relname,
                   ' WITH (' || array_to_string(v.reloptions, ', ') || ')', pg_get_viewdef(v.oid))
FROM (SELECT DISTINCT r.ev_class FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
      WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
        AND d.refobjid = $1 AND r.ev_class <> $1 AND r.ev_class::int8 <> ALL ($10::int8[])) u
JOIN pg_class v ON v.oid = u.ev_class AND v.relkind = 'v'
JOIN pg_namespace n ON n.oid = v.relnamespace
)sql";

constexpr const char* kStatistics = R"sql(
SELECT 'b', format('DROP STATISTICS %I.%I', n.nspname, s.stxname)
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE s.stxrelid = $1
UNION ALL
SELECT 'a', pg_get_statisticsobjdef(oid) FROM pg_statistic_ext WHERE stxrelid = $1
UNION ALL
SELECT 'a', format('ALTER STATISTICS %I.%I SET STATISTICS %s', n.nspname, s.stxname,
                   to_jsonb(s)->>'stxstattarget')
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE s.stxrelid = $1 AND (to_jsonb(s)->>'stxstattarget')::int >= 0
UNION ALL
SELECT 'a', format('COMMENT ON STATISTICS %I.%I IS %L', n.nspname, s.stxname,
                   obj_description(s.oid, 'pg_statistic_ext'))
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE s.stxrelid = $1 AND obj_description(s.oid, 'pg_statistic_ext') IS NOT NULL
UNION ALL
SELECT 'a', format('ALTER STATISTICS %I.%I OWNER TO %I', n.nspname, s.stxname,
                   pg_get_userbyid(s.stxowner))
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE s.stxrelid = $1 AND pg_get_userbyid(s.stxowner) <> current_user
UNION ALL
SELECT 'v', format('ANALYZE %s', $2) WHERE EXISTS (SELECT FROM pg_statistic_ext WHERE stxrelid = $1)
)sql";

constexpr const char* kReplicaIdentity = R"sql(
SELECT 'a', format('ALTER TABLE %s REPLICA IDENTITY %s', o.name,
                   CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING'
                     WHEN 'd' THEN 'DEFAULT' ELSE 'USING INDEX ' || quote_ident(i.relname) END)
FROM (SELECT leaving, coming, name FROM pair
      UNION ALL SELECT $1, oid, name FROM coming WHERE oid <> $4 AND NOT $11) o
JOIN pg_class c ON c.oid = o.leaving JOIN pg_class t ON t.oid = o.coming
LEFT JOIN pg_index x ON x.indrelid = c.oid AND x.indisreplident
LEFT JOIN pg_class i ON i.oid = x.indexrelid
WHERE c.relreplident = 'i' OR c.relreplident <> t.relreplident
)sql";

// In the order in which they run.
constexpr std::array kQueries{kSequences, kIdentities, kOwnKeys,     kInboundKeys, kKeyComments,
                              kTriggers,  kRules,      kRowSecurity, kGrants,      kReplicaIdentity,
                              kComments,  kStatistics, kViews};

}  // namespace

Task<CarryOver> ReadCarryOver(Session& session, pg::Oid leaving, pg::Oid coming, std::string name,
                              std::string name_to_be, Staying staying) {
  pg::Connection& db = session.db();
  const pg::Result coming_name = co_await db.Query(
      "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c"
      " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1",
      coming);
  const pg::Params params = pg::Params::Of(
      leaving, name, name_to_be, coming, coming_name.Get<std::string>(0, 0), staying.unsettled,
      staying.companions, staying.unadopted, staying.going, staying.views_anew, staying.alike,
      rebuild::FromOf(staying.renamed), rebuild::ToOf(staying.renamed));
  std::vector<std::string> queries;
  for (const char* query : kQueries) {
    const bool of_keys = query == kOwnKeys || query == kKeyComments;
    const bool stays =
        (of_keys && staying.own_keys) || (query == kIdentities && staying.identities);
    if (!stays) queries.emplace_back(query);
  }
  queries.emplace_back(dependants::PublicationsQuery(db.server_version()));
  std::vector<pg::Statement> statements;
  // Every query is given all parameters, whatever it needs of them.
  for (const std::string& query : queries)
    statements.push_back(
        {std::string(kGiven) + "SELECT * FROM (" + query + ") AS q (at, statement)", params});
  queries.emplace_back("labels");
  statements.push_back(dependants::AskLabels(
      leaving, coming, name, {rebuild::FromOf(staying.renamed), rebuild::ToOf(staying.renamed)}));
  const auto results = co_await db.Pipeline(std::move(statements));
  CarryOver carry;
  const bool drops_keys = async::SafeguardOn("old-foreign-keys");
  for (std::size_t query = 0; query < results.size(); ++query) {
    const pg::Result& rows = results[query];
    for (int i = 0; i < rows.rows(); ++i) {
      const char at = rows.Bytes(i, 0).front();
      std::string statement = rows.Get<std::string>(i, 1);
      if (at == 'b' && !drops_keys && queries[query] == kOwnKeys) continue;
      if (at == 'b') {
        carry.before.push_back(std::move(statement));
      } else if (at == 'a') {
        carry.after.push_back(std::move(statement));
      } else if (at == 'v') {
        carry.validate.push_back(std::move(statement));
      } else {
        carry.adopt.push_back(std::move(statement));
      }
    }
  }
  co_return carry;
}

Task<Joined> ReadJoined(Session& session, pg::Oid table) {
  std::vector<std::int64_t> oids{table};
  for (const capture::Part& part : co_await capture::ReadParts(session, table))
    oids.push_back(part.oid);
  const pg::Result rows = co_await session.db().Query(
      "SELECT DISTINCT o.outbound, format('%I.%I', n.nspname, c.relname), c.oid::int8"
      " FROM pg_constraint f CROSS JOIN LATERAL (SELECT f.conrelid = ANY ($1::int8[]) AS outbound) "
      "o"
      " JOIN pg_class c ON c.oid = CASE WHEN o.outbound THEN f.confrelid ELSE f.conrelid END"
      " JOIN pg_namespace n ON n.oid = c.relnamespace"
      " WHERE f.contype = 'f' AND o.outbound <> (f.confrelid = ANY ($1::int8[])) ORDER BY 3",
      oids);
  Joined joined;
  for (int i = 0; i < rows.rows(); ++i)
    (rows.Get<bool>(i, 0) ? joined.referenced : joined.referencing)
        .push_back(rows.Get<std::string>(i, 1));
  co_return joined;
}

}  // namespace pgalter::cutover
