#include "engine/run/legal_hold.h"

#include <fmt/format.h>

#include <vector>

#include "engine/guard/role_settings.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "planner/sql/ast/statement.h"

namespace pgalter::run {

namespace ast = sql::ast;

namespace {

// $1 tables, $2 schemas (not quoted), $3 whether the rows of tables that refer to them go, too, $4
// whether they are detached: one whose detach is pending is ended in any case. What is held above,
// as a whole, holds its partitions, those that retain has detached among them.
constexpr const char* kHeld = R"sql(
WITH RECURSIVE named AS (
  SELECT oid::oid FROM unnest($1::int8[]) oid
  UNION
  SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ANY ($2::text[]) AND c.relkind IN ('r', 'p', 'f')),
below AS (
  SELECT oid FROM named
  WHERE NOT ($4 AND EXISTS (SELECT FROM pg_inherits WHERE inhrelid = oid AND inhdetachpending))
  UNION
  SELECT e.below FROM below b JOIN (
    SELECT inhrelid, inhparent FROM pg_inherits
    UNION ALL
    SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f' AND $3
  ) e (below, above) ON e.above = b.oid),
going AS (
  SELECT oid FROM below
  UNION
  SELECT e.above FROM going g JOIN (
    SELECT inhrelid, inhparent FROM pg_inherits
    UNION ALL
    SELECT relid, parent_relid FROM pgalter.retired WHERE dropped_at IS NULL
  ) e (below, above) ON e.below = g.oid)
SELECT format('legal hold of %s by %s since %s: %s', h.name, h.set_by,
              to_char(h.set_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), h.reason), h.name
FROM pgalter.legal_hold h
WHERE h.relid IN (SELECT oid FROM going)
  OR h.name IN (SELECT format('%I.%I', n.nspname, c.relname) FROM going g
                JOIN pg_class c ON c.oid = g.oid JOIN pg_namespace n ON n.oid = c.relnamespace)
ORDER BY h.name LIMIT 1
)sql";

struct Going {
  std::vector<std::string> tables;  // as SQL has them
  std::vector<std::string> schemas;
  bool with_referring = false;
  bool detached = false;
};

void AddDetached(const ast::AlterTable& alter, Going& going) {
  for (const ast::TableCommand& command : alter.commands) {
    const bool detaches = command.change == ast::TableChange::kDetachPartition ||
                          command.change == ast::TableChange::kDetachPartitionConcurrently;
    if (!detaches || !command.other) continue;
    going.tables.push_back(sql::ToString(*command.other));
    going.detached = true;
  }
}

Going GoingBy(const ast::Statement& statement) {
  Going going;
  const auto add = [&](const std::vector<sql::QualifiedName>& names) {
    for (const auto& name : names) going.tables.push_back(sql::ToString(name));
  };
  if (const auto* drop = statement.As<ast::Drop>()) {
    if (drop->kind == ast::ObjectKind::kTable || drop->kind == ast::ObjectKind::kForeignTable)
      add(drop->names);
    if (drop->kind == ast::ObjectKind::kSchema)
      for (const auto& name : drop->names) going.schemas.push_back(name.name);
  }
  if (const auto* truncate = statement.As<ast::Truncate>()) {
    add(truncate->tables);
    going.with_referring = truncate->cascade;
  }
  if (const auto* alter = statement.As<ast::AlterTable>()) AddDetached(*alter, going);
  return going;
}

Task<bool> AnyHold(guard::Session& session) {
  const pg::Result row =
      co_await session.db().Query("SELECT to_regclass('pgalter.legal_hold') IS NOT NULL");
  co_return row.Get<bool>(0, 0);
}

// As the role that makes the run finds them; those that are not there are left out.
Task<std::vector<std::int64_t>> Find(guard::Session& session, std::vector<std::string> names) {
  guard::Bracket bracket = guard::Under(co_await guard::RoleSettings(session));
  std::vector<pg::Statement> statements = std::move(bracket.begin);
  statements.push_back(
      {"SELECT pg_catalog.to_regclass(n)::pg_catalog.int8"
       " FROM pg_catalog.unnest($1::pg_catalog.text[]) AS s (n)"
       " WHERE pg_catalog.to_regclass(n) IS NOT NULL",
       pg::Params::Of(names)});
  statements.push_back(std::move(bracket.end));
  std::vector<std::int64_t> found;
  auto look = [&]() -> Task<> {
    const auto results = co_await session.db().Pipeline(std::move(statements));
    const pg::Result& rows = results.at(results.size() - 2);
    for (int i = 0; i < rows.rows(); ++i) found.push_back(rows.Get<std::int64_t>(i, 0));
  };
  co_await guard::RunInTransaction(session, look);
  co_return found;
}

Task<> RefuseHeldStatement(guard::Session& session, const plan::Statement& statement, Going going) {
  const bool any = co_await AnyHold(session);
  if (!any) co_return;
  const std::vector<std::int64_t> tables = co_await Find(session, std::move(going.tables));
  const pg::Result held = co_await session.db().Query(kHeld, tables, going.schemas,
                                                      going.with_referring, going.detached);
  if (held.empty()) co_return;
  throw Failure(
      ExitCode::kRefused,
      fmt::format("this statement (line {}) would let go what is held: {} ({}). Nothing was "
                  "changed. Where it may go: pgalter partition release {}",
                  statement.line, statement.sql, held.Get<std::string>(0, 0),
                  held.Get<std::string>(0, 1)));
}

}  // namespace

Task<> RefuseHeld(guard::Session& session, const plan::Plan& plan) {
  for (const plan::Statement& statement : plan.statements) {
    const auto read = ast::ReadStatement(statement.sql);
    if (!read) continue;
    Going going = GoingBy(*read);
    if (going.tables.empty() && going.schemas.empty()) continue;
    co_await RefuseHeldStatement(session, statement, std::move(going));
  }
}

}  // namespace pgalter::run
