#include "batcher/rebuild/empty_table.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "batcher/rebuild/definition_file.h"
#include "batcher/rebuild/like_table.h"
#include "batcher/rebuild/tree.h"
#include "batcher/rebuild/two_steps.h"
#include "engine/guard/role_settings.h"
#include "engine/run/server_refusal.h"

namespace pgalter::rebuild {

using run::ExitCode;
using run::ServerRefusal;

namespace {

constexpr const char* kOwner = R"sql(
SELECT format('ALTER TABLE %s OWNER TO %I', t.name, pg_get_userbyid(relowner))
FROM pg_class, unnest($2::text[]) t (name)
WHERE oid = $1 AND relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
)sql";

constexpr const char* kRevoke = R"sql(
SELECT DISTINCT format('REVOKE ALL ON TABLE %s FROM %s', t.name,
                       CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                      ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
FROM unnest($1::text[]) t (name) JOIN pg_class c ON c.oid = t.name::regclass,
     aclexplode(c.relacl) a
WHERE a.grantee <> c.relowner
)sql";

Task<> ExecuteAll(Session& session, const pg::Result& statements) {
  for (int i = 0; i < statements.rows(); ++i)
    co_await session.db().Query(statements.Get<std::string>(i, 0));
}

// Default privileges must not open them to anybody.
Task<> Settle(Session& session, std::vector<std::string> tables, pg::Oid source) {
  const pg::Result owners = co_await session.db().Query(kOwner, source, tables);
  co_await ExecuteAll(session, owners);
  const pg::Result revokes = co_await session.db().Query(kRevoke, tables);
  co_await ExecuteAll(session, revokes);
}

constexpr const char* kGenerated = R"sql(
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = $1 AND attgenerated <> '' AND NOT attisdropped
)sql";

// The server alters no column that another is generated from, nor one of a partition key.
Task<std::string> WayOut(Session& session, const pg::PgError& error, pg::Oid source) {
  const std::vector<std::string> key = co_await ReadKeyColumns(session, source);
  if (error.Is("42P16") && !key.empty())
    co_return "where it is about the partition key: give the whole new table, with its partitions, "
              "with --definition FILE";
  if (!error.Is("0A000")) co_return "";
  const pg::Result generated = co_await session.db().Query(kGenerated, source);
  if (generated.IsNull(0, 0)) co_return "";
  const auto names = generated.Get<std::string>(0, 0);
  co_return fmt::format(
      "where it is about what generated columns ({}) are made from: give the whole new table with "
      "--definition FILE, or drop and add them in the same --alter, which puts them last",
      names);
}

Task<> ApplySettings(Session& session, const Spec& spec) {
  for (const auto& [name, value] : spec.settings)
    co_await session.db().Query("SELECT set_config($1, $2, true)", name, value);
}

// What follows is ours: definitions are read as text that says the same to whoever reads it.
Task<> HideSettings(Session& session) {
  guard::Settings own = guard::ExactTexts();
  own.emplace_back("search_path", "pg_catalog");
  for (const auto& [name, value] : own)
    co_await session.db().Query("SELECT pg_catalog.set_config($1, $2, true)", name, value);
}

// A statement of the user's, and how he finds it again.
struct OfUser {
  std::string sql;
  std::string shown;
};

// Under the role's own settings, search_path among them: the text is the user's. They are set once
// for all statements, and the savepoint as well: a definition may have a thousand partitions.
Task<> RunUsers(Session& session, const Spec& spec, std::vector<OfUser> statements,
                pg::Oid source) {
  pg::Connection& db = session.db();
  co_await ApplySettings(session, spec);
  std::optional<pg::PgError> refused;
  std::string shown;
  co_await db.Query("SAVEPOINT of_user");
  try {
    for (const OfUser& statement : statements) {
      shown = statement.shown;
      co_await db.Query(statement.sql);
    }
  } catch (const pg::PgError& error) {
    if (!db.open()) throw;
    refused = error;
  }
  if (refused) {
    co_await db.Query("ROLLBACK TO SAVEPOINT of_user");
    std::string way_out = co_await WayOut(session, *refused, source);
    throw ServerRefusal(
        ExitCode::kUsage,
        fmt::format("the server refuses {}: {}. Nothing was changed", shown, refused->what()),
        *refused, std::move(way_out));
  }
  co_await db.Query("RELEASE SAVEPOINT of_user");
  co_await HideSettings(session);
}

Task<> RunAlter(Session& session, const Spec& spec, std::string table, std::string actions,
                pg::Oid source) {
  std::vector<OfUser> alter(1);
  alter.front() = {fmt::format("ALTER TABLE {} {}", table, actions),
                   fmt::format("--alter \"{}\"", spec.alter)};
  co_await RunUsers(session, spec, std::move(alter), source);
}

// The table stays where it is; what its role has for new ones is for what --alter adds.
Task<> MakeSame(Session& session, const Names& names, pg::Oid source, const Retype& retype) {
  co_await session.db().Query("SET LOCAL default_tablespace = ''");
  co_await MakeTreeLike(session, names, source, retype);
  co_await session.db().Query("RESET default_tablespace");
}

Task<> MakeAltered(Session& session, const Names& names, const Spec& spec, pg::Oid source) {
  const std::vector<std::string> key = co_await ReadKeyColumns(session, source);
  const TwoSteps steps = DivideAlter(spec.alter, key);
  Retype retype;
  auto before = [&](std::string table) -> Task<> {
    co_await RunAlter(session, spec, std::move(table), steps.before, source);
  };
  if (!steps.before.empty()) {
    // Bounds are read and written under the same ones.
    co_await ApplySettings(session, spec);
    co_await HideSettings(session);
    retype = before;
  }
  co_await MakeSame(session, names, source, retype);
  if (!steps.after.empty()) co_await RunAlter(session, spec, names.shadow, steps.after, source);
}

}  // namespace

Task<std::vector<Index>> MakeEmpty(Session& session, const Names& names, const Spec& spec,
                                   pg::Oid source) {
  if (spec.definition.empty()) {
    co_await MakeAltered(session, names, spec, source);
  } else {
    std::vector<OfUser> statements;
    for (DefinitionStatement& statement :
         ReadDefinitionFile(spec.definition, names.source, names.schema))
      statements.push_back({std::move(statement.moved), std::move(statement.shown)});
    co_await RunUsers(session, spec, std::move(statements), source);
    co_await CopyColumnSettings(session, source, names.shadow);
  }
  const pg::Result made = co_await session.db().Query("SELECT $1::regclass::oid", names.shadow);
  const std::vector<Branch> tree = co_await ReadTree(session, made.Get<pg::Oid>(0, 0));
  std::vector<Index> indexes = co_await ReadTreeIndexes(session, tree, names.schema);
  std::vector<std::string> tables;
  for (const Branch& branch : tree) tables.push_back(branch.name);
  co_await Settle(session, std::move(tables), source);
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
      " WHERE s.conrelid = $1 AND s.contype IN ('c', 'n') AND t.contype = s.contype"
      " AND NOT s.convalidated",
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
