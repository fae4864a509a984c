#include "engine/state/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/guard/owner_only.h"
#include "engine/guard/transaction.h"
#include "engine/state/embedded_migrations.h"

namespace pgalter::state {

namespace {

// Arbitrary, fixed: two installers at once would otherwise collide on CREATE SCHEMA.
constexpr std::int64_t kInstallLock = 0x70676c746572;

constexpr Migration kNewest = kEmbeddedMigrations.back();

Task<> Apply(Session& session, const Migration& migration) {
  co_await session.db().Execute(std::string(migration.sql));
  co_await session.db().Query("INSERT INTO pgalter.schema_version (version, name) VALUES ($1, $2)",
                              migration.version, migration.name);
}

// Rights on these are what somebody has given.
struct Ours {
  bool schema = false;
  std::vector<std::int64_t> relations;
};

Task<Ours> ReadOurs(Session& session) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT c.oid::int8 FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid"
      " WHERE n.nspname = 'pgalter'");
  Ours ours;
  ours.schema = !rows.empty();
  for (int i = 0; i < rows.rows(); ++i)
    if (!rows.IsNull(i, 0)) ours.relations.push_back(rows.Get<std::int64_t>(i, 0));
  co_return ours;
}

Task<> ApplyMissing(Session& session) {
  // Tried, not waited for: no session of ours waits inside a statement.
  for (;;) {
    const pg::Result lock =
        co_await session.db().Query("SELECT pg_try_advisory_xact_lock($1)", kInstallLock);
    if (lock.Get<bool>(0, 0)) break;
    co_await async::SleepFor(async::Milliseconds(50));
  }
  const Ours before = co_await ReadOurs(session);
  co_await session.db().Execute(
      "CREATE SCHEMA IF NOT EXISTS pgalter;"
      "CREATE TABLE IF NOT EXISTS pgalter.schema_version ("
      " version integer PRIMARY KEY, name text NOT NULL,"
      " installed_by text NOT NULL DEFAULT session_user,"
      " installed_at timestamptz NOT NULL DEFAULT clock_timestamp())");
  const int installed = co_await InstalledVersion(session);
  for (const Migration& migration : kEmbeddedMigrations)
    if (migration.version > installed) co_await Apply(session, migration);
  if (!before.schema) co_await session.db().Query(guard::TakeBackSchema("pgalter"));
  co_await session.db().Query(guard::TakeBackRelations("pgalter", before.relations));
}

std::string WaysOut(const std::vector<std::string>& remedies) {
  if (!remedies.empty()) return fmt::format("Take them out: {}", fmt::join(remedies, "; "));
  return "Ways out: publish the schemas of the application instead (CREATE PUBLICATION … FOR "
         "TABLES IN SCHEMA …, PostgreSQL 15 and later) or list its tables (FOR TABLE …); or drop "
         "the publication if nobody uses it";
}

}  // namespace

PublishedSchema::PublishedSchema(const std::vector<std::string>& publications,
                                 const std::vector<std::string>& remedies)
    : std::runtime_error(fmt::format(
          "publication {} would send pgalter's own tables to its subscribers, and a subscriber "
          "that lacks them stops. Nothing was changed. {}",
          fmt::join(publications, ", "), WaysOut(remedies))) {}

Task<> ThrowWithGrant(Session& session, pg::PgError error) {
  // The tables are their owner's, and nothing is granted to anybody: who made them can give them.
  const pg::Result owner = co_await session.db().Query(
      "SELECT pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(n.nspowner)),"
      " pg_catalog.quote_ident(current_user), pg_catalog.pg_has_role(n.nspowner, 'USAGE'),"
      " o.rolsuper FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles o"
      " ON o.oid OPERATOR(pg_catalog.=) n.nspowner WHERE n.nspname = 'pgalter'");
  if (owner.empty()) throw error;
  const auto role = owner.Get<std::string>(0, 0);
  const auto me = owner.Get<std::string>(0, 1);
  pg::PgErrorFields fields = error.fields();
  fields.hint = fmt::format("schema pgalter belongs to {}: use that role", role);
  if (owner.Get<bool>(0, 2))
    fields.hint = fmt::format(
        "GRANT ALL ON SCHEMA pgalter TO {0}; GRANT ALL ON ALL TABLES IN SCHEMA pgalter TO {0}", me);
  else if (!owner.Get<bool>(0, 3))
    fields.hint += fmt::format(", or GRANT {} TO {}", role, me);
  throw pg::PgError(std::move(fields));
}

Task<int> InstalledVersion(Session& session) {
  std::optional<pg::PgError> refused;
  int installed = 0;
  try {
    const pg::Result table = co_await session.db().Query(
        "SELECT pg_catalog.to_regclass('pgalter.schema_version') IS NOT NULL");
    if (!table.Get<bool>(0, 0)) co_return 0;
    const pg::Result version = co_await session.db().Query(
        "SELECT COALESCE(pg_catalog.max(version), 0) FROM pgalter.schema_version");
    installed = version.Get<std::int32_t>(0, 0);
  } catch (const pg::PgError& error) {
    if (error.klass() != pg::SqlstateClass::kNoRight) throw;
    refused = error;
  }
  // In a transaction there is no asking any more, and whoever opened it explains.
  if (refused && session.db().in_transaction()) throw *refused;
  if (refused) co_await ThrowWithGrant(session, *refused);
  co_return installed;
}

Task<> RefusePublication(Session& session) {
  // pg_publication_namespace came with 15; a publication can also name our tables one by one.
  const bool by_schema = session.db().server_version() >= 150000;
  std::string sql =
      "SELECT quote_ident(pubname), NULL FROM pg_publication WHERE puballtables"
      " UNION ALL SELECT quote_ident(p.pubname), format('ALTER PUBLICATION %I DROP TABLE %s',"
      "   p.pubname, string_agg(format('%I.%I', n.nspname, c.relname), ', '))"
      " FROM pg_publication p"
      " JOIN pg_publication_rel pr ON pr.prpubid = p.oid JOIN pg_class c ON c.oid = pr.prrelid"
      " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'pgalter'"
      " GROUP BY p.pubname";
  if (by_schema)
    sql +=
        " UNION ALL SELECT quote_ident(p.pubname),"
        "   format('ALTER PUBLICATION %I DROP TABLES IN SCHEMA pgalter', p.pubname)"
        " FROM pg_publication p"
        " JOIN pg_publication_namespace pn ON pn.pnpubid = p.oid"
        " JOIN pg_namespace n ON n.oid = pn.pnnspid WHERE n.nspname = 'pgalter'";
  const pg::Result rows = co_await session.db().Query(sql);
  if (rows.empty()) co_return;
  std::vector<std::string> names;
  std::vector<std::string> remedies;
  bool all_tables = false;
  for (int i = 0; i < rows.rows(); ++i) {
    const auto name = rows.Get<std::string>(i, 0);
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    if (rows.IsNull(i, 1)) {
      all_tables = true;
    } else {
      remedies.push_back(rows.Get<std::string>(i, 1));
    }
  }
  // What helps against some would only lead to the next refusal.
  if (all_tables) remedies.clear();
  throw PublishedSchema(names, remedies);
}

Task<Installation> Install(Session& session) {
  co_await RefusePublication(session);
  Installation outcome;
  outcome.before = co_await InstalledVersion(session);
  if (outcome.before > kNewest.version)
    throw NewerSchema(
        fmt::format("schema pgalter has version {}, this pgalter knows {}: use the newer pgalter "
                    "that installed it",
                    outcome.before, kNewest.version));
  if (outcome.before < kNewest.version) {
    auto apply = [&]() -> Task<> { co_await ApplyMissing(session); };
    co_await guard::RunInTransaction(session, apply);
  }
  outcome.now = kNewest.version;
  co_return outcome;
}

}  // namespace pgalter::state
