#include "batcher/rebuild/empty_table.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "batcher/capture/parts.h"
#include "batcher/rebuild/definition_file.h"
#include "engine/run/server_refusal.h"

namespace pgalter::rebuild {

using run::ExitCode;
using run::ServerRefusal;

namespace {

Task<> Execute(Session& session, const std::vector<std::string>& statements) {
  for (const std::string& sql : statements) co_await session.db().Query(sql);
}

// What pg_class and pg_attribute say besides what LIKE copies and CREATE TABLE can say, for columns
// that are in both tables.
constexpr const char* kColumnSettings = R"sql(
WITH kept AS (SELECT attname FROM pg_attribute WHERE attrelid = $2::regclass AND NOT attisdropped)
SELECT format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', $2::text, attname,
              to_jsonb(a)->>'attstattarget')
FROM pg_attribute a JOIN kept USING (attname)
WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
  AND coalesce((to_jsonb(a)->>'attstattarget')::int, -1) >= 0
UNION ALL
SELECT format('ALTER TABLE %s ALTER COLUMN %I SET (%s)', $2::text, attname,
              (SELECT string_agg(o, ', ') FROM unnest(attoptions) o WHERE o LIKE 'n_distinct%'))
FROM pg_attribute JOIN kept USING (attname)
WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
  AND EXISTS (SELECT FROM unnest(attoptions) o WHERE o LIKE 'n_distinct%')
UNION ALL
SELECT format('COMMENT ON COLUMN %s.%I IS %L', $2::text, attname, col_description(attrelid, attnum))
FROM pg_attribute JOIN kept USING (attname)
WHERE attrelid = $1 AND attnum > 0 AND col_description(attrelid, attnum) IS NOT NULL
)sql";

constexpr const char* kOwner = R"sql(
SELECT format('ALTER TABLE %s OWNER TO %I', $2::text, pg_get_userbyid(relowner))
FROM pg_class WHERE oid = $1 AND relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
)sql";

// LIKE makes every identity's sequence one of bigint, with the bounds of the old type: these would
// stay when the column becomes a bigint.
constexpr const char* kIdentityTypes = R"sql(
SELECT format('ALTER SEQUENCE %s AS %s', pg_get_serial_sequence($2::text, a.attname),
              format_type(x.seqtypid, NULL))
FROM pg_attribute a
JOIN pg_depend d ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype = 'i'
  AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
JOIN pg_sequence x ON x.seqrelid = d.objid
WHERE a.attrelid = $1 AND a.attidentity <> '' AND NOT a.attisdropped
)sql";

Task<std::vector<std::string>> Statements(Session& session, std::string query, pg::Oid oid,
                                          std::string name) {
  const pg::Result rows = co_await session.db().Query(query, oid, name);
  std::vector<std::string> statements;
  for (int i = 0; i < rows.rows(); ++i) statements.push_back(rows.Get<std::string>(i, 0));
  co_return statements;
}

Task<> MakeLike(Session& session, const Names& names, pg::Oid source) {
  pg::Connection& db = session.db();
  const pg::Result storage = co_await db.Query(
      "SELECT CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END,"
      " coalesce(' USING ' || quote_ident(am.amname), ''),"
      " coalesce(' WITH (' || (SELECT string_agg(o, ', ') FROM ("
      "   SELECT unnest(c.reloptions) UNION ALL SELECT 'toast.' || unnest(t.reloptions)) x (o))"
      "   || ')', ''),"
      " coalesce(' TABLESPACE ' || quote_ident(ts.spcname), '')"
      " FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid"
      " LEFT JOIN pg_am am ON am.oid = c.relam LEFT JOIN pg_tablespace ts ON ts.oid = "
      "c.reltablespace"
      " WHERE c.oid = $1",
      source);
  co_await db.Query(fmt::format(
      "CREATE {}TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED "
      "INCLUDING IDENTITY INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS){}{}{}",
      storage.Get<std::string>(0, 0), names.shadow, names.source, storage.Get<std::string>(0, 1),
      storage.Get<std::string>(0, 2), storage.Get<std::string>(0, 3)));
  co_await Execute(session, co_await Statements(session, kIdentityTypes, source, names.shadow));
}

// Default privileges must not open it to anybody.
Task<> Settle(Session& session, std::string table, pg::Oid source) {
  pg::Connection& db = session.db();
  co_await Execute(session, co_await Statements(session, kOwner, source, table));
  const pg::Result grantees = co_await db.Query(
      "SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid("
      "a.grantee)) END FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = $1::regclass"
      " AND a.grantee <> c.relowner",
      table);
  for (int i = 0; i < grantees.rows(); ++i)
    co_await db.Query(
        fmt::format("REVOKE ALL ON TABLE {} FROM {}", table, grantees.Get<std::string>(i, 0)));
}

constexpr const char* kGenerated = R"sql(
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = $1 AND attgenerated <> '' AND NOT attisdropped
)sql";

// The server alters no column that another is generated from.
Task<std::string> WayOut(Session& session, const pg::PgError& error, pg::Oid source) {
  if (!error.Is("0A000")) co_return "";
  const pg::Result generated = co_await session.db().Query(kGenerated, source);
  if (generated.IsNull(0, 0)) co_return "";
  const auto names = generated.Get<std::string>(0, 0);
  co_return fmt::format(
      "where it is about what generated columns ({}) are made from: give the whole new table with "
      "--definition FILE, or drop and add them in the same --alter, which puts them last",
      names);
}

// Under the role's own search_path: the text is the user's.
Task<> RunUsers(Session& session, const Spec& spec, std::string statement, std::string option,
                pg::Oid source) {
  pg::Connection& db = session.db();
  for (const auto& [name, value] : spec.settings)
    co_await db.Query("SELECT set_config($1, $2, true)", name, value);
  std::optional<pg::PgError> refused;
  co_await db.Query("SAVEPOINT of_user");
  try {
    co_await db.Query(statement);
  } catch (const pg::PgError& error) {
    if (!db.open()) throw;
    refused = error;
  }
  if (refused) {
    co_await db.Query("ROLLBACK TO SAVEPOINT of_user");
    std::string way_out = co_await WayOut(session, *refused, source);
    throw ServerRefusal(
        ExitCode::kUsage,
        fmt::format("the server refuses {}: {}. Nothing was changed", option, refused->what()),
        *refused, std::move(way_out));
  }
  co_await db.Query("RELEASE SAVEPOINT of_user");
  co_await db.Query("SELECT set_config('search_path', 'pg_catalog', true)");
}

}  // namespace

Task<std::vector<Index>> MakeEmpty(Session& session, const Names& names, const Spec& spec,
                                   pg::Oid source) {
  if (spec.definition.empty()) {
    // The table stays where it is; what its role has for new ones is for what --alter adds.
    co_await session.db().Query("SET LOCAL default_tablespace = ''");
    co_await MakeLike(session, names, source);
  } else {
    for (const DefinitionStatement& statement :
         ReadDefinitionFile(spec.definition, names.source, names.schema))
      co_await RunUsers(session, spec, statement.moved, statement.shown, source);
  }
  co_await Execute(session, co_await Statements(session, kColumnSettings, source, names.shadow));
  if (spec.definition.empty()) {
    for (const Index& index :
         co_await ReadIndexes(session, source, names.source, names.shadow, names.schema))
      co_await MakeIndex(session, index);
    co_await session.db().Query("RESET default_tablespace");
  }
  if (!spec.alter.empty())
    co_await RunUsers(session, spec, fmt::format("ALTER TABLE {} {}", names.shadow, spec.alter),
                      fmt::format("--alter \"{}\"", spec.alter), source);
  const pg::Result made = co_await session.db().Query("SELECT $1::regclass::oid", names.shadow);
  std::vector<std::string> tables =
      co_await capture::ReadPartitions(session, made.Get<pg::Oid>(0, 0));
  std::vector<Index> indexes;
  for (const std::string& table : tables) {
    const pg::Result oid = co_await session.db().Query("SELECT $1::regclass::oid", table);
    for (Index& index :
         co_await ReadIndexes(session, oid.Get<pg::Oid>(0, 0), table, table, names.schema))
      indexes.push_back(std::move(index));
  }
  for (Index& index : co_await ReadIndexes(session, made.Get<pg::Oid>(0, 0), names.shadow,
                                           names.shadow, names.schema))
    indexes.push_back(std::move(index));
  tables.push_back(names.shadow);
  for (const std::string& table : tables) co_await Settle(session, table, source);
  co_return indexes;
}

Task<std::vector<std::string>> TakeInvalidChecks(Session& session, const Names& names,
                                                 pg::Oid source) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', $2::text, s.conname),"
      " format('ADD CONSTRAINT %I %s%s', s.conname, pg_get_constraintdef(t.oid),"
      "   CASE WHEN pg_get_constraintdef(t.oid) LIKE '% NOT VALID' THEN '' ELSE ' NOT VALID' END)"
      " FROM pg_constraint s JOIN pg_constraint t ON t.conname = s.conname AND t.conrelid = "
      "$2::text::regclass"
      " WHERE s.conrelid = $1 AND s.contype = 'c' AND t.contype = 'c' AND NOT s.convalidated",
      source, names.shadow);
  std::vector<std::string> later;
  for (int i = 0; i < rows.rows(); ++i) {
    co_await session.db().Query(rows.Get<std::string>(i, 0));
    later.push_back(rows.Get<std::string>(i, 1));
  }
  co_return later;
}

Task<> Strip(Session& session, const Names& names, const std::vector<Index>& indexes) {
  for (const Index& index : indexes) {
    if (!index.root.empty()) continue;  // goes with it
    const std::string drop =
        index.constraint.empty()
            ? fmt::format("DROP INDEX {}.{}", names.schema, index.name)
            : fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", index.table, index.name);
    co_await session.db().Query(drop);
  }
}

}  // namespace pgalter::rebuild
