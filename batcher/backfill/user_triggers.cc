#include "batcher/backfill/user_triggers.h"

#include <fmt/format.h>

#include "engine/guard/replication_role.h"
#include "engine/run/failure.h"
#include "planner/sql/expression.h"

namespace pgalter::backfill {

namespace {

using Names = std::vector<std::string>;

// tgtype: 16 UPDATE (pg_trigger.h). Before PostgreSQL 15 a partition's own of its whole's trigger
// counts as internal, as a foreign key's does. $1: relations, $2: tgenabled, $3: columns.
constexpr const char* kFiring = R"sql(
SELECT coalesce(string_agg(DISTINCT quote_ident(t.tgname), ', '), '')
FROM pg_catalog.pg_trigger t
WHERE t.tgrelid = ANY ($1::oid[]) AND t.tgtype & 16 <> 0 AND t.tgenabled::text = ANY ($2::text[])
  AND (NOT t.tgisinternal OR t.tgparentid <> 0 AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_constraint k WHERE k.oid = t.tgconstraint AND k.contype <> 't'))
  AND position('pgalter_' IN t.tgname) = 0
  AND (cardinality(t.tgattr::int2[]) = 0 OR EXISTS (
         SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.tgrelid
         AND a.attnum = ANY (t.tgattr::int2[]) AND a.attname = ANY ($3::text[])))
)sql";

// Those that hold rows, which chunks name.
constexpr const char* kRelations = R"sql(
WITH RECURSIVE tree AS (
  SELECT $1::oid AS oid
  UNION ALL
  SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree t ON i.inhparent = t.oid
)
SELECT c.oid::text FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid WHERE c.relkind = 'r'
)sql";

// Constraints over the columns whose own triggers would not fire either. $1: relations, $2:
// columns.
constexpr const char* kUnchecked = R"sql(
SELECT coalesce(string_agg(DISTINCT quote_ident(k.conname), ', '), '')
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint
JOIN pg_catalog.pg_attribute a ON a.attrelid = t.tgrelid
 AND (k.conrelid = t.tgrelid AND a.attnum = ANY (k.conkey)
      OR k.confrelid = t.tgrelid AND a.attnum = ANY (k.confkey))
WHERE t.tgrelid = ANY ($1::oid[]) AND t.tgtype & 16 <> 0 AND a.attname = ANY ($2::text[])
  AND (k.contype = 'f' AND k.convalidated OR k.contype IN ('p', 'u', 'x'))
)sql";

const Names kUsually{"O", "A"};
const Names kReplicating{"R", "A"};

Names NamesOf(const std::vector<Column>& columns) {
  Names names;
  for (const Column& column : columns) names.push_back(column.name);
  return names;
}

Task<Names> RelationsOf(Session& session, pg::Oid table) {
  const pg::Result rows = co_await session.db().Query(kRelations, table);
  Names relations;
  for (int i = 0; i < rows.rows(); ++i) relations.push_back(rows.Get<std::string>(i, 0));
  co_return relations;
}

Task<std::string> UncheckedIn(Session& session, const Names& relations, const Names& columns) {
  const pg::Result row = co_await session.db().Query(kUnchecked, relations, columns);
  co_return row.Get<std::string>(0, 0);
}

Task<std::string> FiringIn(Session& session, const Names& relations, const Names& states,
                           const Names& columns) {
  const pg::Result row = co_await session.db().Query(kFiring, relations, states, columns);
  co_return row.Get<std::string>(0, 0);
}

// A function of users that is not declared to leave the database alone. Expressions name it with
// its schema.
Task<std::string> FunctionThatMayWrite(Session& session, const Resolved& resolved) {
  for (const Column& column : resolved.columns) {
    const auto facts = sql::ParseExpression(column.expression);
    if (!facts) continue;
    for (const sql::FunctionUse& use : facts->functions) {
      if (use.name.size() < 2 || use.name.front() == "pg_catalog") continue;
      const pg::Result row = co_await session.db().Query(
          "SELECT EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
          " JOIN pg_language l ON l.oid = p.prolang"
          " WHERE n.nspname = $1 AND p.proname = $2 AND p.provolatile = 'v'"
          " AND l.lanname NOT IN ('c', 'internal'))",
          use.name.front(), use.name.back());
      if (row.Get<bool>(0, 0)) co_return use.name.back();
    }
  }
  co_return "";
}

Task<std::string> WhoMayNot(Session& session) {
  const bool may = co_await guard::MaySetReplicationRole(session);
  if (may) co_return "";
  const pg::Result row = co_await session.db().Query("SELECT quote_ident(current_user)");
  const auto role = row.Get<std::string>(0, 0);
  constexpr int kGrantsSettings = 150000;
  co_return session.db().server_version() < kGrantsSettings
      ? fmt::format(
            "before PostgreSQL 15 superusers alone may set session_replication_role, under "
            "which they stay silent: go on as one, not as {}",
            role)
      : fmt::format(
            "role {0} may not set session_replication_role, under which they stay silent "
            "(SQLSTATE 42501): GRANT SET ON PARAMETER session_replication_role TO {0}",
            role);
}

// Why chunks cannot run under that setting; empty: they can.
Task<std::string> WhyNotSilent(Session& session, const Names& relations, const Names& columns,
                               const Resolved& resolved) {
  std::string why = co_await WhoMayNot(session);
  if (!why.empty()) co_return why;
  std::string names = co_await FiringIn(session, relations, kReplicating, columns);
  if (!names.empty())
    co_return fmt::format(
        "{} fires under session_replication_role = replica, too (ENABLE ALWAYS or "
        "REPLICA): ALTER TABLE … ENABLE TRIGGER or DISABLE TRIGGER meanwhile",
        names);
  names = co_await UncheckedIn(session, relations, columns);
  if (!names.empty())
    co_return fmt::format("under session_replication_role = replica {} would not be checked either",
                          names);
  names = co_await FunctionThatMayWrite(session, resolved);
  if (names.empty()) co_return "";
  co_return fmt::format(
      "under session_replication_role = replica what {} may write to other tables would pass by "
      "their triggers and foreign keys, too",
      names);
}

}  // namespace

Task<Firing> SettleFiring(Session& session, plan::Backfill::Triggers triggers, const Table& table,
                          const Resolved& resolved) {
  Firing firing;
  if (triggers == plan::Backfill::Triggers::kFire) co_return firing;
  firing.may_fire = triggers == plan::Backfill::Triggers::kAccepted;
  const Names columns = NamesOf(resolved.columns);
  const Names relations = co_await RelationsOf(session, table.oid);
  const std::string names = co_await FiringIn(session, relations, kUsually, columns);
  if (names.empty()) co_return firing;
  const std::string why = co_await WhyNotSilent(session, relations, columns, resolved);
  firing.silent = why.empty();
  if (firing.silent || firing.may_fire) co_return firing;
  throw run::Failure(
      run::ExitCode::kRefused,
      fmt::format("every row of {} that is filled would fire {}, where the statement fires no "
                  "trigger: {}. No more rows were changed. Mend that and resume the run, or take "
                  "it back and begin again with --fire-triggers",
                  table.name, names, why));
}

pg::Statement FindFiring(pg::Oid relation, const std::vector<Column>& columns, Firing firing) {
  const Names relations{std::to_string(relation)};
  return {kFiring,
          pg::Params::Of(relations, firing.silent ? kReplicating : kUsually, NamesOf(columns))};
}

pg::Statement FindUnchecked(pg::Oid relation, const std::vector<Column>& columns) {
  const Names relations{std::to_string(relation)};
  return {kUnchecked, pg::Params::Of(relations, NamesOf(columns))};
}

pg::Statement KeepSilent() { return {"SET LOCAL session_replication_role = replica", {}}; }

}  // namespace pgalter::backfill
