#include "tests/support/schema_text.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <stdexcept>

namespace pgalter::test {

namespace {

// The server's own, or this machine's: it reads servers that are not newer than itself. Empty:
// there is none.
std::filesystem::path DumpProgram(const FreshDatabase& database) {
  constexpr int kOurs = 15;
  auto own = database.server().bin_dir() / "pg_dump";
  if (std::filesystem::exists(own)) return own;
  std::filesystem::path ours = fmt::format("/usr/lib/postgresql/{}/bin/pg_dump", kOurs);
  const int major = std::stoi(database.Value("SHOW server_version_num")) / 10000;
  return major <= kOurs && std::filesystem::exists(ours) ? ours : "";
}

// A dump's \\restrict lines have a key of their own in each.
std::string WithoutKeys(const std::string& dump) {
  std::istringstream lines(dump);
  std::string kept;
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("\\restrict") && !line.starts_with("\\unrestrict")) kept += line + "\n";
  return kept;
}

std::string Dumped(const std::filesystem::path& program, const FreshDatabase& database,
                   const SchemaTextOptions& options) {
  std::string command = program.string() + " -s";
  for (const std::string& schema : options.without_schemas) command += " -N " + schema;
  for (const std::string& table : options.without_tables) command += " -T public." + table;
  if (!options.comments) command += " --no-comments";
  command += " -d '" + database.conninfo() + "' 2>&1";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("pg_dump does not start");
  std::string text;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    text.append(buffer.data(), got);
  if (pclose(pipe) != 0) throw std::runtime_error("pg_dump failed: " + text);
  return WithoutKeys(text);
}

// What is looked at; pg_temp.shown_relation without what is left out. Session-wide, so that the
// queries below need not repeat it.
constexpr const char* kPrepare = R"sql(
SET search_path = '';
CREATE TEMPORARY VIEW shown_schema AS
  SELECT oid, nspname FROM pg_catalog.pg_namespace
  WHERE nspname OPERATOR(pg_catalog.!~) '^pg_|^information_schema$'
    AND nspname OPERATOR(pg_catalog.<>) ALL ('{{{}}}');
CREATE TEMPORARY VIEW shown_relation AS
  SELECT c.*, c.oid::pg_catalog.regclass::text AS shown FROM pg_catalog.pg_class c
  JOIN pg_temp.shown_schema n ON n.oid = c.relnamespace
  WHERE c.relname OPERATOR(pg_catalog.<>) ALL ('{{{}}}') AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
    WHERE i.indexrelid = c.oid AND t.relname = ANY ('{{{}}}'));
CREATE FUNCTION pg_temp.acl(aclitem[], "char", oid) RETURNS text LANGUAGE sql AS $$
  SELECT pg_catalog.string_agg(a::text, ',' ORDER BY a::text)
  FROM pg_catalog.unnest(coalesce($1, pg_catalog.acldefault($2, $3))) AS a $$;
SET search_path = '';
)sql";

constexpr const char* kTables = R"sql(
SELECT pg_catalog.concat(
  CASE relkind WHEN 'f' THEN 'CREATE FOREIGN TABLE ' ELSE 'CREATE TABLE ' END, shown, ' (', E'\n',
  (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', '   ', a.attname,
      pg_catalog.format_type(a.atttypid, a.atttypmod),
      CASE WHEN a.attcollation <> t.typcollation THEN
        'COLLATE ' || a.attcollation::pg_catalog.regcollation END,
      CASE WHEN a.attgenerated <> '' THEN 'GENERATED ' || a.attgenerated::text END,
      CASE WHEN a.attidentity <> '' THEN 'IDENTITY ' || a.attidentity::text END,
      'DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid),
      CASE WHEN a.attnotnull THEN 'NOT NULL' END,
      'STORAGE ' || a.attstorage::text, 'COMPRESSION ' || a.attcompression::text,
      'STATISTICS ' || coalesce(a.attstattarget, -1),
      'ACL ' || (SELECT pg_catalog.string_agg(x::text, ',' ORDER BY x::text)
                 FROM pg_catalog.unnest(a.attacl) AS x),
      CASE WHEN NOT a.attislocal THEN 'INHERITED' END), E',\n' ORDER BY a.attnum)
   FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
   LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped),
  E'\n)', CASE WHEN relkind = 'p' THEN ' PARTITION BY ' || pg_catalog.pg_get_partkeydef(oid) END,
  ' ' || pg_catalog.pg_get_expr(relpartbound, oid), ' UNLOGGED ', relpersistence = 'u', ' OPTIONS ',
  (SELECT pg_catalog.string_agg(o, ',' ORDER BY o) FROM pg_catalog.unnest(reloptions) AS o),
  ' TABLESPACE ', reltablespace, ' USING ', (SELECT amname FROM pg_catalog.pg_am WHERE oid = relam),
  ' OF ', CASE WHEN reloftype <> 0 THEN reloftype::pg_catalog.regtype END, ' IDENTITY ',
  relreplident, ' RLS ', relrowsecurity, relforcerowsecurity, ';')
FROM pg_temp.shown_relation r WHERE relkind IN ('r', 'p', 'f') ORDER BY shown)sql";

constexpr const char* kRest = R"sql(
SELECT line FROM (
  SELECT pg_catalog.concat_ws(' ', 'RELATION', shown, 'KIND', relkind, 'OWNER',
    pg_catalog.pg_get_userbyid(relowner), 'ACL', CASE WHEN relkind NOT IN ('i', 'I') THEN
      pg_temp.acl(relacl, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner) END) AS line
  FROM pg_temp.shown_relation WHERE relkind NOT IN ('t', 'c')
  UNION ALL SELECT 'INHERITS ' || r.shown || ' ' || i.inhparent::pg_catalog.regclass || ' ' ||
    i.inhseqno || i.inhdetachpending
  FROM pg_catalog.pg_inherits i JOIN pg_temp.shown_relation r ON r.oid = i.inhrelid
  UNION ALL SELECT pg_catalog.concat_ws(' ', 'ALTER', coalesce(r.shown,
      k.contypid::pg_catalog.regtype::text), 'ADD CONSTRAINT', k.conname,
    pg_catalog.pg_get_constraintdef(k.oid), CASE WHEN k.contype <> 'n' THEN
      pg_catalog.concat('LOCAL ', k.conislocal, k.coninhcount) END)
  FROM pg_catalog.pg_constraint k LEFT JOIN pg_temp.shown_relation r ON r.oid = k.conrelid
  WHERE (r.oid IS NOT NULL OR k.contypid <> 0 AND k.connamespace IN (
    SELECT oid FROM pg_temp.shown_schema)) AND k.contype <> 't'
  UNION ALL SELECT pg_catalog.concat_ws(' ', pg_catalog.pg_get_indexdef(i.indexrelid), 'VALID',
    i.indisvalid, i.indisready, 'CLUSTERED', i.indisclustered, 'IDENTITY', i.indisreplident)
  FROM pg_catalog.pg_index i JOIN pg_temp.shown_relation r ON r.oid = i.indexrelid
  UNION ALL SELECT pg_catalog.pg_get_triggerdef(g.oid) || ' ' || g.tgenabled::text
  FROM pg_catalog.pg_trigger g JOIN pg_temp.shown_relation r ON r.oid = g.tgrelid
  WHERE NOT g.tgisinternal
  UNION ALL SELECT pg_catalog.concat_ws(' ', 'CREATE POLICY', p.polname, 'ON', r.shown, p.polcmd,
    p.polpermissive, (SELECT pg_catalog.string_agg(u::pg_catalog.regrole::text, ',')
                      FROM pg_catalog.unnest(p.polroles) AS u),
    'USING', pg_catalog.pg_get_expr(p.polqual, p.polrelid), 'CHECK',
    pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
  FROM pg_catalog.pg_policy p JOIN pg_temp.shown_relation r ON r.oid = p.polrelid
  UNION ALL SELECT pg_catalog.concat_ws(' ', 'CREATE VIEW', shown, relkind, reloptions, 'POPULATED',
    relispopulated, 'AS', pg_catalog.pg_get_viewdef(oid))
  FROM pg_temp.shown_relation WHERE relkind IN ('v', 'm')
  UNION ALL SELECT pg_catalog.pg_get_ruledef(w.oid) || ' ' || w.ev_enabled::text
  FROM pg_catalog.pg_rewrite w JOIN pg_temp.shown_relation r ON r.oid = w.ev_class
  WHERE w.rulename <> '_RETURN'
  UNION ALL SELECT pg_catalog.concat_ws(' ', 'CREATE SEQUENCE', r.shown,
    s.seqtypid::pg_catalog.regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
    s.seqcycle, 'OWNED BY', (SELECT pg_catalog.pg_describe_object(d.refclassid, d.refobjid,
      d.refobjsubid) FROM pg_catalog.pg_depend d WHERE d.objid = r.oid AND d.deptype IN ('a', 'i')
      AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0))
  FROM pg_catalog.pg_sequence s JOIN pg_temp.shown_relation r ON r.oid = s.seqrelid
  UNION ALL SELECT pg_catalog.pg_get_functiondef(f.oid) || ' ' ||
    pg_temp.acl(f.proacl, 'f', f.proowner)
  FROM pg_catalog.pg_proc f JOIN pg_temp.shown_schema n ON n.oid = f.pronamespace
  WHERE f.prokind IN ('f', 'p')
  UNION ALL SELECT pg_catalog.concat_ws(' ', 'CREATE TYPE', t.oid::pg_catalog.regtype, t.typtype,
    CASE WHEN t.typbasetype <> 0 THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END,
    t.typnotnull, t.typdefault, (SELECT pg_catalog.string_agg(e.enumlabel, ',' ORDER BY
      e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid))
  FROM pg_catalog.pg_type t JOIN pg_temp.shown_schema n ON n.oid = t.typnamespace
  WHERE t.typtype IN ('d', 'e', 'r')
  UNION ALL SELECT pg_catalog.pg_get_statisticsobjdef(s.oid)
  FROM pg_catalog.pg_statistic_ext s JOIN pg_temp.shown_relation r ON r.oid = s.stxrelid
  UNION ALL SELECT 'PUBLICATION ' || p.pubname || ' ' || r.shown
  FROM pg_catalog.pg_publication_rel m JOIN pg_catalog.pg_publication p ON p.oid = m.prpubid
  JOIN pg_temp.shown_relation r ON r.oid = m.prrelid
  UNION ALL SELECT 'COMMENT ON ' || pg_catalog.pg_describe_object(c.classoid, c.objoid, c.objsubid)
    || ' IS ' || c.description
  FROM pg_catalog.pg_description c
  WHERE {} AND (c.objoid >= 16384) AND pg_catalog.pg_describe_object(c.classoid, c.objoid, c.objsubid)
    OPERATOR(pg_catalog.!~) 'pgalter'
) AS all_lines ORDER BY line)sql";

std::string ListOf(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ",") + name;
  return list;
}

std::string Queried(const FreshDatabase& database, const SchemaTextOptions& options) {
  Session session = database.Connect();
  const std::string tables = ListOf(options.without_tables);
  session.Exec(
      fmt::format(fmt::runtime(kPrepare), ListOf(options.without_schemas), tables, tables));
  std::string text;
  for (const auto& row : session.Exec(kTables)) text += row[0] + "\n";
  for (const auto& row : session.Exec(fmt::format(fmt::runtime(kRest), options.comments)))
    text += row[0] + "\n";
  return text;
}

}  // namespace

std::string SchemaText(const FreshDatabase& database, const SchemaTextOptions& options) {
  const std::filesystem::path program = DumpProgram(database);
  return program.empty() ? Queried(database, options) : Dumped(program, database, options);
}

std::string InsertsOf(const FreshDatabase& database, const std::string& from,
                      const std::string& into) {
  std::string script;
  for (const auto& row :
       database.Sql(fmt::format("SELECT string_agg(quote_literal(r), ',') FROM (SELECT "
                                "one_row::text AS r, row_number() OVER "
                                "() / 500 AS n FROM {} AS one_row) AS all_rows GROUP BY n",
                                from)))
    script += fmt::format("INSERT INTO {0} SELECT (r::{0}).* FROM unnest(ARRAY[{1}]) AS r;\n", into,
                          row[0]);
  return script;
}

}  // namespace pgalter::test
