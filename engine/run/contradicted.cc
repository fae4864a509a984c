#include "engine/run/contradicted.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/async/fail_point.h"
#include "engine/run/autocommit_step.h"
#include "engine/run/failure.h"
#include "engine/run/own_checks.h"
#include "engine/run/plan_spec.h"
#include "engine/run/transact.h"
#include "engine/state/steps.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/ast/table.h"
#include "planner/sql/identifier.h"

namespace pgalter::run {

namespace {

// "ALTER TABLE x VALIDATE CONSTRAINT NAME": the name as it is written there. Empty: another one.
std::string ValidatedBy(std::string_view sql) {
  constexpr std::string_view kValidate = " VALIDATE CONSTRAINT ";
  const auto at = sql.find(kValidate);
  return at == std::string_view::npos ? "" : std::string(sql.substr(at + kValidate.size()));
}

bool Adds(std::string_view sql, const std::string& constraint) {
  return sql.find(fmt::format(" ADD CONSTRAINT {} ", constraint)) != std::string_view::npos;
}

// What was added beside it may hold values of users by now.
bool DropsNothingElse(const state::Step& step, const std::string& constraint) {
  return !step.undo.empty() && std::ranges::all_of(step.undo, [&](const std::string& sql) {
    return sql.ends_with(" DROP NOT NULL") ||
           (sql.find(" DROP CONSTRAINT ") != std::string::npos && sql.ends_with(" " + constraint));
  });
}

// The step that has added it, and nothing else; none: it was there before the run.
Task<std::optional<state::Step>> FindAdding(Environment& env, const state::Step& step) {
  std::optional<state::Step> adding;
  const std::string name = step.sql.size() == 1 ? ValidatedBy(step.sql.front()) : "";
  if (name.empty()) co_return adding;
  for (state::Step& earlier : co_await state::LoadSteps(env.main, env.run.id)) {
    if (earlier.ordinal >= step.ordinal || !DropsNothingElse(earlier, name)) continue;
    const bool adds = std::ranges::any_of(
        earlier.sql, [&name](const std::string& sql) { return Adds(sql, name); });
    if (adds) adding = std::move(earlier);
  }
  co_return adding;
}

std::string TableOf(const std::string& validating) {
  const auto statement = sql::ast::ReadStatement(validating);
  const auto* alter = statement ? statement->As<sql::ast::AlterTable>() : nullptr;
  return alter == nullptr ? "" : sql::ToString(alter->name);
}

// $1 its name as in SQL, $2 the table: "SELECT …" for the rows that a constraint forbids.
constexpr const char* kForbidden = R"sql(
SELECT format('SELECT * FROM %I.%I WHERE %s', n.nspname, c.relname, CASE k.contype
  WHEN 'c' THEN format('NOT (%s)', pg_get_expr(k.conbin, k.conrelid))
  WHEN 'n' THEN (SELECT format('%I IS NULL', attname) FROM pg_attribute
                 WHERE attrelid = k.conrelid AND attnum = k.conkey[1])
  ELSE (SELECT format('%s AND NOT EXISTS (SELECT FROM %I.%I AS referred WHERE %s)',
                      string_agg(format('%I.%I IS NOT NULL', c.relname, a.attname), ' AND '),
                      o.nspname, r.relname,
                      string_agg(format('referred.%I = %I.%I', b.attname, c.relname, a.attname), ' AND '))
        FROM unnest(k.conkey, k.confkey) AS u (own, theirs)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.own
        JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = u.theirs
        CROSS JOIN pg_class r JOIN pg_namespace o ON o.oid = r.relnamespace
        WHERE r.oid = k.confrelid GROUP BY o.nspname, r.relname) END)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.conrelid = $2 AND quote_ident(k.conname) = $1 AND NOT k.convalidated
  AND k.contype IN ('c', 'n', 'f')
)sql";

// What is in the way. `validating`: as of ValidatedBy.
Task<std::string> ForbiddenBy(Environment& env, std::string validating, pg::PgError error) {
  guard::Session session =
      co_await OpenAsRole(env);  // the plan may leave the schema to its settings
  const pg::Result table = co_await session.db().Query(
      "SELECT pg_catalog.to_regclass($1)::pg_catalog.oid::pg_catalog.int8", TableOf(validating));
  if (table.IsNull(0, 0)) co_return error.what();
  const pg::Result row = co_await env.main.db().Query(kForbidden, ValidatedBy(validating),
                                                      table.Get<std::int64_t>(0, 0));
  co_return row.empty() ? error.what() : row.Get<std::string>(0, 0);
}

}  // namespace

bool IsContradiction(const pg::PgError& error) {
  constexpr std::array kForbidding{"23502", "23503", "23514"};  // NOT NULL, foreign key, CHECK
  return std::ranges::any_of(kForbidding, [&](const char* code) { return error.Is(code); });
}

Task<> TakeBackContradicted(Environment& env, const state::Step& step, pg::PgError error) {
  std::optional<state::Step> adding = co_await FindAdding(env, step);
  if (!adding) throw std::move(error);
  const std::string forbidden = co_await ForbiddenBy(env, step.sql.front(), error);
  Transacted back;
  back.sql = co_await WhereTheyAre(env, adding->undo);
  back.becomes = state::StepState::kPending;
  async::Stopper never;  // what was added has to go
  co_await Transact(env, *adding, std::move(back), never);
  async::FailPoint("contradicted");
  throw Failure(
      ExitCode::kRefused,
      fmt::format("rows are in the way: {}. The constraint was dropped again, so that users may "
                  "write such rows as before. Move, change or delete them, and pgalter resume {}; "
                  "or pgalter "
                  "abort {} --yes",
                  forbidden, env.run.id, env.run.id));
}

Task<> DropContradicted(Environment& env, guard::Session& session, const state::Step& step,
                        std::string validating, pg::PgError error) {
  const std::string name = ValidatedBy(validating);
  const auto adding = std::ranges::find_if(
      step.undo, [&name](const std::string& sql) { return !name.empty() && Adds(sql, name); });
  if (adding == step.undo.end()) throw std::move(error);
  const std::string forbidden = co_await ForbiddenBy(env, validating, error);
  async::Stopper never;  // as above
  // What stands before has all of it begin anew after a crash.
  for (auto sql = step.undo.begin(); sql != adding; ++sql)
    co_await RunAlone(env, session, *sql, never);
  async::FailPoint("contradicted-back");
  throw Failure(
      ExitCode::kRefused,
      fmt::format(
          "rows are in the way of taking step {} back: {}. The constraint was dropped again, so "
          "that "
          "users may write such rows as before. Change or delete them, and pgalter revert {} --yes",
          step.id, forbidden, env.run.id));
}

}  // namespace pgalter::run
