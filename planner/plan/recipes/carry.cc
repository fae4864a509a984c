#include "planner/plan/recipes/carry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "planner/plan/steps.h"
#include "planner/plan/views_again.h"

namespace pgalter::plan {

namespace {

using sql::ToString;

// What the server writes of constants in the role's own styles it would read as other moments in
// them ("CST"). The statement that the plan is of has the role's again.
std::string Exactly(std::string_view declared, std::string_view body) {
  return fmt::format(
      "DO $pgalter$ DECLARE {}was pg_catalog.text[]; BEGIN was := (SELECT pg_catalog.array_agg("
      "pg_catalog.current_setting(n) ORDER BY n) FROM pg_catalog.unnest(ARRAY['bytea_output', "
      "'datestyle', 'extra_float_digits', 'intervalstyle']) n); PERFORM "
      "pg_catalog.set_config('bytea_output', 'hex', true), pg_catalog.set_config('datestyle', "
      "'ISO, YMD', true), pg_catalog.set_config('extra_float_digits', '1', true), "
      "pg_catalog.set_config('intervalstyle', 'postgres', true); {} PERFORM "
      "pg_catalog.set_config('bytea_output', was[1], true), pg_catalog.set_config('datestyle', "
      "was[2], true), pg_catalog.set_config('extra_float_digits', was[3], true), "
      "pg_catalog.set_config('intervalstyle', was[4], true); END $pgalter$",
      declared, body);
}

std::string Note(std::string_view query) {
  return Exactly("", fmt::format("EXECUTE $pgalter_note$ {} $pgalter_note$;", query));
}

std::string Apply(std::string_view setting) {
  return Exactly(
      "s pg_catalog.text; ",
      fmt::format("FOR s IN SELECT e FROM pg_catalog.jsonb_array_elements_text("
                  "pg_catalog.current_setting('{}')::pg_catalog.jsonb) e LOOP EXECUTE s; END LOOP;",
                  setting));
}

// Nobody takes a number from the sequence that goes once it is locked: what it says of itself is
// read after that. From 15 on a sequence may be logged other than its table. The new one has what
// default privileges say, and is to have what the old one had.
constexpr std::string_view kNoteIdentity = R"sql(DO $pgalter$ DECLARE
  named record; was record; at_number int8; was_called bool; made jsonb := '[]';
BEGIN
FOR named IN
  SELECT k.oid, k.oid::pg_catalog.regclass AS name, k.relowner
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.refclassid = d.classid AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
    AND d.deptype = 'i'
  JOIN pg_catalog.pg_class k ON k.oid = d.objid AND k.relkind = 'S'
  WHERE a.attrelid = {0}::pg_catalog.regclass AND a.attname = {1} AND a.attidentity <> ''
LOOP
  EXECUTE pg_catalog.format('ALTER SEQUENCE %s OWNER TO %I', named.name,
    pg_catalog.pg_get_userbyid(named.relowner));
  EXECUTE pg_catalog.format('SELECT last_value, is_called FROM %s', named.name)
    INTO at_number, was_called;
  SELECT t.oid::pg_catalog.regclass AS tab, a.attname, a.attidentity, s.*, k.relowner, k.relacl,
    k.relnamespace, k.relpersistence,
    k.relpersistence <> t.relpersistence
      AND pg_catalog.current_setting('server_version_num')::int >= 150000 AS lasts_otherwise
  INTO STRICT was
  FROM pg_catalog.pg_class k JOIN pg_catalog.pg_sequence s ON s.seqrelid = k.oid,
    pg_catalog.pg_class t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid
  WHERE k.oid = named.oid AND t.oid = {0}::pg_catalog.regclass AND a.attname = {1};
  made := made || pg_catalog.jsonb_build_array(
    pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I ADD GENERATED %s AS IDENTITY (SEQUENCE NAME %s START WITH %s INCREMENT BY %s %s %s CACHE %s %s)',
      was.tab, was.attname, CASE was.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END,
      named.name, was.seqstart, was.seqincrement,
      CASE WHEN was.seqmax IN (32767, 2147483647, 9223372036854775807) THEN '' ELSE 'MAXVALUE ' || was.seqmax END,
      CASE WHEN was.seqmin IN (1, -32768, -2147483648, -9223372036854775808) THEN '' ELSE 'MINVALUE ' || was.seqmin END,
      was.seqcache, CASE WHEN was.seqcycle THEN 'CYCLE' ELSE '' END),
    pg_catalog.format('SELECT pg_catalog.setval(%L, %s, %L)', named.name, at_number, was_called));
  made := made || (SELECT coalesce(pg_catalog.jsonb_agg(x.sql ORDER BY x.turn), '[]') FROM (
    SELECT 1, pg_catalog.format('ALTER SEQUENCE %s SET %s', named.name,
      CASE was.relpersistence WHEN 'u' THEN 'UNLOGGED' ELSE 'LOGGED' END) WHERE was.lasts_otherwise
    UNION ALL
    SELECT DISTINCT 2, pg_catalog.format('REVOKE ALL ON SEQUENCE %s FROM %s', named.name,
      CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END)
    FROM pg_catalog.pg_default_acl d CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) g
    WHERE d.defaclobjtype = 'S' AND d.defaclrole = was.relowner
      AND d.defaclnamespace IN (0, was.relnamespace) AND g.grantee <> was.relowner
    UNION ALL
    SELECT 3, pg_catalog.format('GRANT %s ON SEQUENCE %s TO %s%s', g.privilege_type, named.name,
      CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END,
      CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pg_catalog.aclexplode(was.relacl) g WHERE g.grantee <> was.relowner
    UNION ALL
    SELECT 4, pg_catalog.format('COMMENT ON SEQUENCE %s IS %L', named.name, c.said)
    FROM pg_catalog.obj_description(named.oid, 'pg_class') c (said) WHERE c.said IS NOT NULL) x (turn, sql));
END LOOP;
PERFORM pg_catalog.set_config('pgalter.identity', made::text, true);
END $pgalter$)sql";

bool IsRead(const Situation& situation, const catalog::Table& view) {
  const bool kept = view.kind == catalog::TableKind::kMaterializedView;
  const std::string detail =
      fmt::format("{}view {} reads the column", kept ? "materialized " : "", Show(view.name));
  return std::ranges::any_of(situation.effects.failures, [&](const locks::Failure& failure) {
    return failure.refusal == locks::Refusal::kColumnInUse && failure.detail == detail;
  });
}

bool IsOfKey(const locks::Failure& failure) {
  return failure.refusal == locks::Refusal::kColumnInUse && IsOfPartitionKey(failure.detail);
}

// The same bounds read the same in both types, and hold the same rows.
bool KeepsBounds(const Situation& situation) {
  const auto* change = situation.Command(sql::ast::TableChange::kSetType);
  const catalog::Column* column =
      change == nullptr ? nullptr : situation.Table()->FindColumn(change->name);
  if (column == nullptr || !column->known || !change->type) return false;
  constexpr std::array<std::string_view, 3> kIntegers{"int2", "int4", "int8"};
  constexpr std::array<std::string_view, 2> kTexts{"varchar", "text"};
  const auto both = [&](const auto& family) {
    return std::ranges::find(family, column->type.name) != family.end() &&
           std::ranges::find(family, change->type->name) != family.end();
  };
  return both(kIntegers) || both(kTexts);
}

}  // namespace

bool IsOfPartitionKey(std::string_view detail) {
  return detail.starts_with("it is part of the partition key");
}

std::optional<InTheWay> FindInTheWay(const Situation& situation) {
  const catalog::Table* table = situation.Table();
  if (table == nullptr) return std::nullopt;
  std::vector<const catalog::Table*> found;
  for (const catalog::Table* view : situation.schema.Views(table->name))
    if (IsRead(situation, *view)) found.push_back(view);
  const auto of_reader = [](const locks::Failure& failure) {
    return failure.refusal == locks::Refusal::kColumnInUse &&
           (failure.detail.starts_with("a policy ") || failure.detail.starts_with("trigger "));
  };
  const auto readers = std::ranges::count_if(situation.effects.failures, of_reader);
  const auto refusals = std::ranges::count(situation.effects.failures, locks::Refusal::kColumnInUse,
                                           &locks::Failure::refusal);
  const auto of_key = std::ranges::count_if(situation.effects.failures, IsOfKey);
  if (of_key > 0 && !KeepsBounds(situation)) return std::nullopt;
  if (refusals != readers + of_key + static_cast<std::ptrdiff_t>(found.size())) return std::nullopt;
  // A view on several of them goes behind the last.
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const catalog::Table* above : situation.schema.Views(found[i]->name)) {
      // It would have to go with the view.
      if (above->kind == catalog::TableKind::kMaterializedView &&
          found[i]->kind == catalog::TableKind::kView)
        return std::nullopt;
      std::erase(found, above);
      found.push_back(above);
    }
    if (found.size() > situation.schema.tables().size()) return std::nullopt;
  }
  InTheWay in_the_way;
  in_the_way.readers = readers > 0;
  in_the_way.partition_key = of_key > 0;
  for (const catalog::Table* view : found) {
    if (view->kind == catalog::TableKind::kMaterializedView &&
        situation.matviews == Matviews::kMadeAnew) {
      in_the_way.matviews = true;
      continue;
    }
    if (view->kind != catalog::TableKind::kView) return std::nullopt;
    in_the_way.views.push_back(view->name);
  }
  return in_the_way;
}

std::string DropViews(std::vector<sql::QualifiedName> views) {
  std::string sql;
  std::ranges::reverse(views);
  for (const sql::QualifiedName& view : views)
    sql += (sql.empty() ? "DROP VIEW " : ", ") + ToString(view);
  return sql;
}

Carried CarryViews(const std::vector<sql::QualifiedName>& views) {
  Carried carried;
  carried.note = Note(fmt::format(
      "SELECT pg_catalog.set_config('pgalter.views', coalesce((SELECT pg_catalog.jsonb_agg("
      "statement) FROM ({}) s)::text, '[]'), true)",
      StatementsThatMakeViews(OidsOf(views))));
  carried.apply = Apply("pgalter.views");
  return carried;
}

std::string OidsOf(const std::vector<sql::QualifiedName>& relations) {
  std::string list;
  for (const sql::QualifiedName& one : relations)
    list += fmt::format("{}{}::pg_catalog.regclass", list.empty() ? "" : ", ",
                        sql::QuoteLiteral(ToString(one)));
  return fmt::format("ARRAY[{}]::pg_catalog.oid[]", list);
}

CarriedAway CarryReaders(const sql::QualifiedName& table, const std::string& column) {
  CarriedAway carried;
  carried.note = Note(fmt::format(
      R"sql(WITH the_column AS (
  SELECT a.attrelid, a.attnum, a.attrelid::pg_catalog.regclass::text AS tab
  FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = {}::pg_catalog.regclass AND a.attname = {}),
reader AS (
  SELECT DISTINCT d.classid, d.objid, tab FROM the_column
  JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.refobjid = attrelid AND d.refobjsubid = attnum
    AND d.classid IN ('pg_catalog.pg_policy'::pg_catalog.regclass,
                      'pg_catalog.pg_trigger'::pg_catalog.regclass)),
policy AS (
  SELECT p.oid, tab, polname, pg_catalog.format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s',
    polname, tab, CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
    CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
      WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
    (SELECT pg_catalog.string_agg(CASE r WHEN 0 THEN 'PUBLIC'
       ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(r)) END, ', ')
     FROM pg_catalog.unnest(polroles) r),
    ' USING (' || pg_catalog.pg_get_expr(polqual, polrelid) || ')',
    ' WITH CHECK (' || pg_catalog.pg_get_expr(polwithcheck, polrelid) || ')') AS statement
  FROM reader JOIN pg_catalog.pg_policy p ON p.oid = objid
    AND classid = 'pg_catalog.pg_policy'::pg_catalog.regclass),
trigger AS (
  SELECT t.oid, tab, tgname, tgenabled, pg_catalog.pg_get_triggerdef(t.oid) AS statement
  FROM reader JOIN pg_catalog.pg_trigger t ON t.oid = objid
    AND classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass
  WHERE NOT tgisinternal AND tgparentid = 0),
made (place, statement) AS (
  SELECT 1, statement FROM policy
  UNION ALL SELECT 1, statement FROM trigger
  UNION ALL SELECT 2, pg_catalog.format('COMMENT ON POLICY %I ON %s IS %L', polname, tab,
    pg_catalog.obj_description(oid, 'pg_policy'))
  FROM policy WHERE pg_catalog.obj_description(oid, 'pg_policy') IS NOT NULL
  UNION ALL SELECT 2, pg_catalog.format('COMMENT ON TRIGGER %I ON %s IS %L', tgname, tab,
    pg_catalog.obj_description(oid, 'pg_trigger'))
  FROM trigger WHERE pg_catalog.obj_description(oid, 'pg_trigger') IS NOT NULL
  UNION ALL SELECT 2, pg_catalog.format('ALTER TRIGGER %I ON %s DEPENDS ON EXTENSION %I', tgname, tab, e.extname)
  FROM trigger JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass
    AND d.objid = trigger.oid AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'x'
  JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
  UNION ALL SELECT 2, pg_catalog.format('ALTER TABLE %s %s TRIGGER %I', tab,
    CASE tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA'
      ELSE 'DISABLE' END, tgname)
  FROM trigger WHERE tgenabled <> 'O'),
dropped (statement) AS (
  SELECT pg_catalog.format('DROP POLICY %I ON %s', polname, tab) FROM policy
  UNION ALL SELECT pg_catalog.format('DROP TRIGGER %I ON %s', tgname, tab) FROM trigger)
SELECT pg_catalog.set_config('pgalter.readers', coalesce((SELECT pg_catalog.jsonb_agg(statement
    ORDER BY place)::text FROM made), '[]'), true),
  pg_catalog.set_config('pgalter.readers_dropped', coalesce((SELECT pg_catalog.jsonb_agg(
    statement)::text FROM dropped), '[]'), true))sql",
      sql::QuoteLiteral(ToString(table)), sql::QuoteLiteral(column)));
  carried.drop = Apply("pgalter.readers_dropped");
  carried.apply = Apply("pgalter.readers");
  return carried;
}

Carried CarryOver(const sql::QualifiedName& table, const std::string& column) {
  const std::string relation = sql::QuoteLiteral(ToString(table)) + "::pg_catalog.regclass";
  const std::string name = sql::QuoteLiteral(column);
  Carried carried;
  // Each row is one statement by the column's name, which the new one has when they are run. Types
  // bring their own storage with them, as with ALTER COLUMN … TYPE. An extension of Debian's server
  // writes pg_attver by itself. From PostgreSQL 18 on NOT NULL is a constraint, of whatever name.
  // Statistics whose owner the role may not stand for stay the role's: they go with the old column.
  carried.note = Note(fmt::format(
      R"sql(SELECT pg_catalog.set_config('pgalter.carried', coalesce((SELECT pg_catalog.jsonb_agg(statement ORDER BY place)::text
FROM (
  SELECT a.attrelid, a.attnum, a.attname, a.attidentity, a.attstattarget, a.attoptions, a.attacl, a.attrelid::pg_catalog.regclass::text AS tab, c.relowner, c.relreplident
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  WHERE a.attrelid = {0} AND a.attname = {1}) a
CROSS JOIN LATERAL (
  SELECT 0 AS place, pg_catalog.format($f$DO $pgalter_name$ DECLARE made text; BEGIN
    SELECT k.conname INTO made FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_attribute n ON n.attrelid = k.conrelid AND n.attnum = ANY (k.conkey)
    WHERE k.conrelid = %L::pg_catalog.regclass AND k.contype = 'n' AND n.attname = %L;
    IF made <> %L THEN EXECUTE pg_catalog.format('ALTER TABLE %%s RENAME CONSTRAINT %%I TO %%I', %L, made, %L); END IF; END $pgalter_name$$f$, tab, attname, f.conname, tab, f.conname) AS statement
  FROM pg_catalog.pg_constraint f WHERE f.conrelid = attrelid AND f.contype = 'n' AND f.conkey = ARRAY[attnum]
  UNION ALL
  SELECT 1, pg_catalog.format('ALTER TABLE %s ALTER CONSTRAINT %I NO INHERIT', tab, f.conname)
  FROM pg_catalog.pg_constraint f WHERE f.conrelid = attrelid AND f.contype = 'n' AND f.conkey = ARRAY[attnum] AND f.connoinherit
  UNION ALL
  SELECT 1, pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s', tab, attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid))
  FROM pg_catalog.pg_attrdef d WHERE d.adrelid = attrelid AND d.adnum = attnum
  UNION ALL
  SELECT 2, pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', tab, attname, pg_catalog.col_description(attrelid, attnum))
  WHERE pg_catalog.col_description(attrelid, attnum) IS NOT NULL
  UNION ALL
  SELECT 3, pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', tab, attname, attstattarget)
  WHERE attstattarget >= 0
  UNION ALL
  SELECT 4, pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET (%s)', tab, attname, o)
  FROM pg_catalog.unnest(attoptions) o WHERE o NOT LIKE 'pg_attver=%'
  UNION ALL
  SELECT 5, pg_catalog.format('GRANT %s (%I) ON %s TO %s%s', g.privilege_type, attname, tab, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END, CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM pg_catalog.aclexplode(attacl) g
  UNION ALL
  SELECT 6, pg_catalog.format('ALTER SEQUENCE %s OWNED BY %s.%I', d.objid::pg_catalog.regclass, tab, attname)
  FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid AND d.refobjid = attrelid AND d.refobjsubid = attnum AND d.deptype = 'a'
    AND (SELECT relkind FROM pg_catalog.pg_class WHERE oid = d.objid) = 'S'
  UNION ALL
  SELECT 9 + x.turn, x.s FROM pg_catalog.pg_statistic_ext e
  JOIN pg_catalog.pg_namespace n ON n.oid = e.stxnamespace
  CROSS JOIN LATERAL (
    SELECT 0, pg_catalog.pg_get_statisticsobjdef(e.oid)
    UNION ALL SELECT 1, pg_catalog.format('ALTER STATISTICS %I.%I SET STATISTICS %s', n.nspname, e.stxname, e.stxstattarget) WHERE e.stxstattarget >= 0
    UNION ALL SELECT 1, pg_catalog.format('COMMENT ON STATISTICS %I.%I IS %L', n.nspname, e.stxname, pg_catalog.obj_description(e.oid, 'pg_statistic_ext')) WHERE pg_catalog.obj_description(e.oid, 'pg_statistic_ext') IS NOT NULL
    UNION ALL SELECT 2, pg_catalog.format('DO $pgalter_owner$ BEGIN ALTER STATISTICS %I.%I OWNER TO %I; EXCEPTION WHEN insufficient_privilege THEN NULL; END $pgalter_owner$', n.nspname, e.stxname, pg_catalog.pg_get_userbyid(e.stxowner)) WHERE pg_catalog.pg_get_userbyid(e.stxowner) <> current_user) x (turn, s)
  WHERE e.stxrelid = attrelid AND EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass AND d.objid = e.oid AND d.refobjid = attrelid AND d.refobjsubid = attnum)
  UNION ALL
  SELECT 10, s FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class k ON k.oid = i.indexrelid
  CROSS JOIN LATERAL (
    SELECT pg_catalog.format('ALTER INDEX %s SET (%s)', i.indexrelid::pg_catalog.regclass, pg_catalog.array_to_string(k.reloptions, ', ')) AS s WHERE k.reloptions IS NOT NULL
    UNION ALL SELECT pg_catalog.format('COMMENT ON INDEX %s IS %L', i.indexrelid::pg_catalog.regclass, pg_catalog.obj_description(i.indexrelid, 'pg_class')) WHERE pg_catalog.obj_description(i.indexrelid, 'pg_class') IS NOT NULL
    UNION ALL SELECT pg_catalog.format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', i.indexrelid::pg_catalog.regclass, p.attnum, p.attstattarget) FROM pg_catalog.pg_attribute p WHERE p.attrelid = i.indexrelid AND p.attnum > 0 AND p.attstattarget >= 0
    UNION ALL SELECT pg_catalog.format('ALTER INDEX %s DEPENDS ON EXTENSION %I', i.indexrelid::pg_catalog.regclass, e.extname) FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = i.indexrelid AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'x'
    UNION ALL SELECT pg_catalog.format('ALTER TABLE %s CLUSTER ON %I', tab, k.relname) WHERE i.indisclustered
    UNION ALL SELECT pg_catalog.format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', tab, k.relname) WHERE i.indisreplident) x
  WHERE i.indrelid = attrelid AND EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.refobjid = attrelid AND d.refobjsubid = attnum
    AND (d.objid = i.indexrelid OR d.objid = (SELECT f.oid FROM pg_catalog.pg_constraint f WHERE f.conindid = i.indexrelid AND f.contype IN ('p', 'u', 'x'))))
  UNION ALL
  SELECT 11, pg_catalog.format('COMMENT ON CONSTRAINT %I ON %s IS %L', f.conname, f.conrelid::pg_catalog.regclass, pg_catalog.obj_description(f.oid, 'pg_constraint'))
  FROM pg_catalog.pg_constraint f WHERE pg_catalog.obj_description(f.oid, 'pg_constraint') IS NOT NULL
    AND (f.conrelid = attrelid AND attnum = ANY (f.conkey) OR f.confrelid = attrelid AND attnum = ANY (f.confkey))
) y), '[]'), true))sql",
      relation, name));
  carried.apply = Apply("pgalter.carried");
  return carried;
}

Carried CarryCheckComments(const sql::QualifiedName& table,
                           const std::vector<std::string>& checks) {
  std::string names;
  for (const std::string& check : checks)
    names += (names.empty() ? "" : ", ") + sql::QuoteLiteral(check);
  Carried carried;
  carried.note = Note(fmt::format(
      R"sql(WITH RECURSIVE tree (oid) AS (
  SELECT {}::pg_catalog.regclass::pg_catalog.oid
  UNION SELECT i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid)
SELECT pg_catalog.set_config('pgalter.comments', coalesce(pg_catalog.jsonb_agg(pg_catalog.format(
  'COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, k.conrelid::pg_catalog.regclass, c.said))::text, '[]'), true)
FROM tree JOIN pg_catalog.pg_constraint k ON k.conrelid = tree.oid AND k.contype = 'c' AND k.conname IN ({})
CROSS JOIN LATERAL pg_catalog.obj_description(k.oid, 'pg_constraint') c (said) WHERE c.said IS NOT NULL)sql",
      sql::QuoteLiteral(ToString(table)), names));
  carried.apply = Apply("pgalter.comments");
  return carried;
}

Carried CarryIdentity(const sql::QualifiedName& table, const std::string& column) {
  Carried carried;
  carried.note =
      fmt::format(kNoteIdentity, sql::QuoteLiteral(ToString(table)), sql::QuoteLiteral(column));
  carried.apply = Apply("pgalter.identity");
  return carried;
}

}  // namespace pgalter::plan
