// Resolve and Recall of target.h: what the user's expressions mean.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "batcher/backfill/kept_out.h"
#include "batcher/backfill/moving.h"
#include "batcher/backfill/role_settings.h"
#include "batcher/backfill/target.h"
#include "batcher/backfill/write_out.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "planner/sql/expression.h"
#include "planner/sql/identifier.h"
#include "planner/sql/placeholder.h"

namespace pgalter::backfill {

using run::ExitCode;
using run::Failure;

namespace {

// Types whose default equality tells every two images apart, so that IS DISTINCT FROM is exact.
constexpr std::array<std::string_view, 15> kExactTypes{
    "bool", "int2", "int4",  "int8", "oid",         "date",    "time", "timestamp",
    "uuid", "text", "bytea", "char", "timestamptz", "varchar", "name"};

std::map<std::string, std::string, std::less<>> Replacements(const Spec& spec) {
  std::map<std::string, std::string, std::less<>> replacements;
  for (const auto& [name, variable] : spec.binds)
    replacements[name] =
        fmt::format("pg_catalog.current_setting({})", sql::QuoteLiteral(BindSetting(name)));
  return replacements;
}

std::string Bound(const std::string& text, const Spec& spec, const char* option) {
  const auto bound = sql::BindPlaceholders(text, Replacements(spec));
  if (!bound)
    throw Failure(ExitCode::kUsage,
                  fmt::format("{}: {} at character {}; give --bind name=env:VARIABLE", option,
                              bound.error().message, bound.error().position));
  return *bound;
}

Expressions Parse(const Spec& spec) {
  Expressions text;
  const auto set = sql::ParseSetClause(Bound(spec.set_text, spec, "--set"));
  if (!set)
    throw Failure(
        ExitCode::kUsage,
        fmt::format("--set \"{}\": {} (character {}){}{}", spec.set_text, set.error().message,
                    set.error().position, set.error().hint.empty() ? "" : "; ", set.error().hint));
  text.set = *set;
  if (spec.where.empty()) return text;
  text.where = Bound(spec.where, spec, "--where");
  const auto facts = sql::ParseExpression(text.where);
  if (!facts)
    throw Failure(ExitCode::kUsage, fmt::format("--where \"{}\": {} (character {})", spec.where,
                                                facts.error().message, facts.error().position));
  return text;
}

// Lets the server judge the statement that the chunks will run; plans it, runs nothing.
Task<> TypeCheck(Session& session, const Table& table, const Expressions& text) {
  std::string set;
  for (const auto& one : text.set)
    set += fmt::format("{}{} = {}", set.empty() ? "" : ", ", sql::QuoteIdentifier(one.column),
                       one.expression);
  const std::string where = text.where.empty() ? "" : fmt::format(" WHERE ({})", text.where);
  std::optional<Failure> refused;
  try {
    co_await session.db().Query("SELECT set_config('lock_timeout', $1, true)",
                                std::to_string(kPatience.count()));
    co_await session.db().Query(fmt::format("EXPLAIN UPDATE {} SET {}{}", table.name, set, where));
  } catch (const pg::PgError& error) {
    const std::string_view klass = std::string_view(error.sqlstate()).substr(0, 2);
    const bool of_the_text = klass == "42" && !error.Is(pg::sqlstate::kInsufficientPrivilege);
    if (!of_the_text && klass != "22" && klass != "0A") throw;
    refused.emplace(ExitCode::kUsage, fmt::format("the server refuses the expression for {}: {}",
                                                  table.name, error.what()));
  }
  if (refused) throw *refused;
}

Task<> Judge(Session& session, const Table& table, const Spec& spec, const Expressions& text) {
  auto check = [&]() -> Task<bool> {
    co_await TypeCheck(session, table, text);
    co_return true;
  };
  bool kept_out = false;
  try {
    co_await UnderRoleSettings(session, spec, check);
  } catch (const pg::PgError& error) {
    kept_out = error.klass() == pg::SqlstateClass::kLockNotAvailable && session.open();
    if (!kept_out) throw;
  }
  if (kept_out) co_await ThrowKeptOut(session, table, "try the expression on", KeptOut::kWriters);
}

Task<Column> Describe(Session& session, const Table& table, const sql::Assignment& set) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> '',"
      " a.attidentity = 'a', t.typname, t.typtype = 'e',"
      " COALESCE((SELECT co.collisdeterministic FROM pg_collation co WHERE co.oid = "
      "a.attcollation),"
      "   true),"
      " EXISTS (SELECT FROM pg_partitioned_table p WHERE p.partrelid = a.attrelid"
      "   AND a.attnum = ANY (p.partattrs::int2[]))"
      " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
      " WHERE a.attrelid = $1 AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped",
      table.oid, set.column);
  const std::string quoted = sql::QuoteIdentifier(set.column);
  if (rows.empty())
    throw Failure(ExitCode::kUsage,
                  fmt::format("{} has no column {} (SQLSTATE 42703); add it first: ALTER TABLE {} "
                              "ADD COLUMN {} …",
                              table.name, quoted, table.name, quoted));
  if (rows.Get<bool>(0, 2))
    throw Failure(ExitCode::kRefused,
                  fmt::format("column {} of {} is generated: the server makes its values, nobody "
                              "can set them. Drop the expression first, or change it",
                              quoted, table.name));
  if (rows.Get<bool>(0, 3))
    throw Failure(ExitCode::kRefused,
                  fmt::format("column {} of {} is GENERATED ALWAYS AS IDENTITY: make it BY DEFAULT "
                              "first",
                              quoted, table.name));
  if (rows.Get<bool>(0, 7))
    throw Failure(ExitCode::kRefused,
                  fmt::format("column {} is part of the partition key of {}: setting it moves rows "
                              "between partitions, which a backfill in place does not do",
                              quoted, table.name));
  Column column;
  column.name = set.column;
  column.expression = set.expression;
  column.type = rows.Get<std::string>(0, 0);
  column.nullable = !rows.Get<bool>(0, 1);
  const bool exact =
      std::ranges::find(kExactTypes, rows.Bytes(0, 4)) != kExactTypes.end() || rows.Get<bool>(0, 5);
  column.equality_is_identity = exact && rows.Get<bool>(0, 6);
  co_return column;
}

Task<> Examine(Session& session, const std::string& expression, Resolved& resolved) {
  const auto facts = sql::ParseExpression(expression);
  if (!facts)
    throw Failure(ExitCode::kUnsupported, fmt::format("the server wrote an expression as \"{}\", "
                                                      "which this pgalter cannot read: {}",
                                                      expression, facts.error().message));
  resolved.has_subquery |= facts->has_subquery;
  for (const auto& use : facts->columns) {
    const auto is_target = [&](const Column& column) {
      return use.whole_row || use.name == column.name;
    };
    const bool target = std::ranges::any_of(resolved.columns, is_target);
    resolved.nature.reads_target |= target;
    resolved.nature.reads_columns |= use.whole_row || !target;
  }
  for (const auto& use : facts->functions)
    if (use.name.size() > 1 && use.name.front() != "pg_catalog")
      resolved.calls_user_functions = true;
  for (std::string& name : co_await MovingFunctions(session, facts->functions)) {
    resolved.nature.moving = true;
    resolved.volatile_functions.push_back(std::move(name));
  }
}

// Types are named under the session's own search_path, with their schemas: the condition made of
// them is read by whoever writes.
Task<Resolved> Assemble(Session& session, const Table& table, const Spec& spec,
                        const Expressions& text) {
  Resolved resolved;
  resolved.where = text.where;
  for (const auto& set : text.set)
    resolved.columns.push_back(co_await Describe(session, table, set));
  auto examine = [&]() -> Task<bool> {
    for (const auto& set : text.set) co_await Examine(session, set.expression, resolved);
    co_return true;
  };
  co_await UnderRoleSettings(session, spec, examine);
  co_return resolved;
}

}  // namespace

Task<Resolved> Resolve(Session& session, const Table& table, const Spec& spec, Resolving how) {
  Expressions text = Parse(spec);
  for (const auto& set : text.set) co_await Describe(session, table, set);
  co_await Judge(session, table, spec, text);
  auto write_out = [&]() -> Task<Expressions> {
    co_return co_await WriteOut(session, spec.settings, table.name, table.oid, text);
  };
  if (how == Resolving::kQualified) text = co_await guard::RunInTransaction(session, write_out);
  co_return co_await Assemble(session, table, spec, text);
}

Task<Resolved> Recall(Session& session, const Table& table, const Spec& spec) {
  const Expressions text{spec.resolved, spec.resolved_where};
  co_return co_await Assemble(session, table, spec, text);
}

}  // namespace pgalter::backfill
