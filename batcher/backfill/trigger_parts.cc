#include "batcher/backfill/trigger_parts.h"

#include <fmt/format.h>

#include <vector>

#include "engine/guard/execute.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"
#include "planner/sql/identifier.h"
#include "planner/sql/requalify.h"

namespace pgalter::backfill {

using run::ExitCode;
using run::Failure;

namespace {

std::string WithoutTrigger(const Spec& spec) {
  if (spec.sync == Sync::kOnce) return "Have the statement run as it is: --as-written";
  return "Run with --sync none, and have the application write the column";
}

// Code of users: functions, operators, and types with code of their own, which enums have not.
// Casts that nobody wrote are among the functions. Of the server's own nothing is noted there.
constexpr const char* kUsersCode =
    "SELECT EXISTS (SELECT FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid"
    " WHERE d.classid = 'pg_rewrite'::regclass"
    " AND r.ev_class = 'pg_temp.pgalter_resolve'::regclass"
    " AND (d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)"
    "   OR d.refclassid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_type t"
    "     WHERE t.oid = d.refobjid AND t.typtype <> 'e')))";

std::string ViewOf(const std::string& table, const Resolved& resolved,
                   const std::string& condition) {
  std::string targets = fmt::format("({}) AS needs", condition);
  for (std::size_t i = 0; i < resolved.columns.size(); ++i)
    targets += fmt::format(", ({}) AS c{}", resolved.columns[i].expression, i);
  return fmt::format("CREATE TEMPORARY VIEW pgalter_resolve AS SELECT {} FROM {}", targets, table);
}

}  // namespace

std::string TagOf(const state::Run& run, const state::Step& step) {
  const std::string tag = run.id.substr(0, 8);
  return run::IsPlan(run) ? fmt::format("{}_{}", tag, step.ordinal) : tag;
}

Names::Names(const std::string& tag)
    // '~' sorts behind every letter of ASCII: BEFORE triggers fire in the order of their names.
    : bare("~pgalter_sync_" + tag),
      trigger(sql::QuoteIdentifier(bare)),
      function("pgalter.sync_" + tag) {}

state::Artefact FunctionArtefact(const std::string& run, const Names& names) {
  state::Artefact artefact;
  artefact.run = run;
  artefact.kind = "function";
  artefact.name = names.function + "()";
  return artefact;
}

state::Artefact TriggerArtefact(const std::string& run, const Names& names, const Table& table) {
  state::Artefact artefact;
  artefact.run = run;
  artefact.kind = "trigger";
  artefact.name = names.trigger;
  artefact.relation = table.name;
  artefact.relid = table.oid;
  return artefact;
}

Task<Generated> GeneratedColumns(Session& session, pg::Oid table) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a"
      " JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
      " WHERE a.attrelid = $1 AND a.attgenerated <> '' AND NOT a.attisdropped",
      table);
  Generated generated;
  for (int i = 0; i < rows.rows(); ++i)
    generated.emplace(rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1));
  co_return generated;
}

std::string OnNewRow(const std::string& expression, const Spec& spec, const Generated& generated) {
  const auto moved = sql::RequalifyColumns(expression, spec.alias, "new", generated);
  if (moved) return *moved;
  throw Failure(ExitCode::kRefused,
                fmt::format("the expression {} cannot be moved into a trigger: {}. {}", expression,
                            moved.error().message, WithoutTrigger(spec)));
}

// Where it cannot be asked, as for want of the right to make temporary tables, it is not immutable;
// nor is what an index does not take.
Task<Nature> NatureOf(Session& session, const Table& table, const Spec& spec,
                      const Resolved& resolved, std::string condition) {
  struct Answered {};
  Nature nature;
  const std::string name = "pg_temp." + sql::QuoteIdentifier(spec.alias);
  const std::vector<std::string> statements{
      fmt::format("CREATE TEMPORARY TABLE {} (LIKE {})", sql::QuoteIdentifier(spec.alias),
                  table.name),
      ViewOf(name, resolved, condition)};
  auto ask = [&]() -> Task<> {
    co_await guard::Execute(session, statements);
    const pg::Result users = co_await session.db().Query(kUsersCode);
    nature.users_code = users.Get<bool>(0, 0);
    co_await session.db().Query(fmt::format("CREATE INDEX ON {} (({}))", name, condition));
    nature.immutable = true;
    throw Answered();
  };
  try {
    co_await guard::RunInTransaction(session, ask);
  } catch (const Answered&) {
  } catch (const pg::PgError&) {
    if (!session.open()) throw;
  }
  co_return nature;
}

// BEFORE triggers fire in the order of their names, byte by byte (RelationBuildTriggers()).
Task<> RefuseLaterTriggers(Session& session, const Table& table, const Spec& spec,
                           const Names& names) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT format('%I of %s', tgname, tgrelid::regclass) FROM pg_trigger"
      " WHERE tgrelid IN (SELECT $1 UNION SELECT relid FROM pg_partition_tree($1::regclass))"
      " AND NOT tgisinternal AND tgenabled <> 'D' AND tgtype & 3 = 3 AND tgtype & 20 <> 0"
      " AND quote_ident(tgname) <> $2 AND tgname::text COLLATE \"C\" > $3 ORDER BY 1 LIMIT 1",
      table.oid, names.trigger, names.bare);
  if (rows.empty()) co_return;
  throw Failure(
      ExitCode::kRefused,
      fmt::format("trigger {} would run behind the one that is to keep the new values up, and "
                  "could change what they are made of: triggers run in the order of their names. "
                  "Rename it (ALTER TRIGGER … RENAME TO …). Or: {}",
                  rows.Get<std::string>(0, 0), WithoutTrigger(spec)));
}

// What `values` mean, whoever writes: names that users' functions look up, and what time zones and
// the like make of values.
std::string SettingsOf(const Spec& spec, bool users_code, bool immutable) {
  std::string path = "pg_catalog";
  std::string others;
  for (const auto& [name, value] : spec.settings) {
    if (name == "search_path" && users_code && !value.empty()) path = value;
    if (name != "search_path" && !immutable)
      others += fmt::format(" SET {} = {}", name, sql::QuoteLiteral(value));
  }
  return fmt::format("SET search_path = {}, pg_temp{}", path, others);
}

}  // namespace pgalter::backfill
