#include "batcher/backfill/write_out.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <optional>

#include "engine/run/failure.h"
#include "planner/sql/expression.h"
#include "planner/sql/view.h"

namespace pgalter::backfill {

using run::ExitCode;
using run::Failure;

namespace {

using Types = std::map<std::string, std::string, std::less<>>;

// Without lengths: a cast to varchar(3) would cut off what an assignment refuses.
Task<Types> ReadTypes(Session& session, pg::Oid table) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT attname, format_type(atttypid, -1) FROM pg_attribute"
      " WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped",
      table);
  Types types;
  for (int i = 0; i < rows.rows(); ++i)
    types.emplace(rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1));
  co_return types;
}

// A view would give a lone literal the type text, which is assigned to no number.
std::string Target(const sql::Assignment& one, const Types& types) {
  const auto facts = sql::ParseExpression(one.expression);
  const auto type = types.find(one.column);
  if (!facts || !facts->untyped || type == types.end()) return fmt::format("({})", one.expression);
  return fmt::format("({})::{}", one.expression, type->second);
}

std::string ViewOf(const std::string& from, const Expressions& text, const Types& types) {
  std::vector<std::string> targets;
  for (const sql::Assignment& one : text.set) targets.push_back(Target(one, types));
  targets.push_back(text.where.empty() ? "true" : fmt::format("({})", text.where));
  targets.emplace_back("ctid");  // of each row: no aggregate goes with it
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < targets.size(); ++i) columns.push_back(fmt::format("c{}", i));
  return fmt::format("CREATE TEMPORARY VIEW pgalter_resolve ({}) AS SELECT {} FROM {}",
                     fmt::join(columns, ", "), fmt::join(targets, ", "), from);
}

Task<> CreateView(Session& session, std::string view, std::string from) {
  std::optional<Failure> refused;
  try {
    co_await session.db().Query(view);
  } catch (const pg::PgError& error) {
    const std::string_view klass = std::string_view(error.sqlstate()).substr(0, 2);
    const bool of_the_text = klass == "42" && !error.Is(pg::sqlstate::kInsufficientPrivilege);
    if (!of_the_text && klass != "22" && klass != "0A") throw;
    refused.emplace(ExitCode::kUsage, fmt::format("the server refuses the expression for {}: {}",
                                                  from, error.what()));
  }
  if (refused) throw *refused;
}

// The view is a temporary one.
Task<> RefuseWithoutRight(Session& session, std::string from) {
  const pg::Result right = co_await session.db().Query(
      "SELECT has_database_privilege(current_database(), 'TEMPORARY'),"
      " quote_ident(current_database()), quote_ident(current_user)");
  if (right.Get<bool>(0, 0)) co_return;
  throw Failure(ExitCode::kUnsupported,
                fmt::format("cannot look the expressions for {} up: GRANT TEMPORARY ON DATABASE {} "
                            "TO {}. Nothing was changed",
                            from, right.Get<std::string>(0, 1), right.Get<std::string>(0, 2)));
}

}  // namespace

Task<Expressions> WriteOut(Session& session, const guard::Settings& settings,
                           const std::string& from, pg::Oid to, Expressions text) {
  co_await RefuseWithoutRight(session, from);
  pg::Connection& db = session.db();
  const Types types = co_await ReadTypes(session, to);
  co_await db.Execute("SAVEPOINT pgalter_write_out");
  for (const auto& [name, value] : settings)
    co_await db.Query("SELECT set_config($1, $2, true)", name, value);
  co_await CreateView(session, ViewOf(from, text, types), from);
  // Read under the role's settings, written for sessions that have others.
  guard::Settings own = guard::ExactTexts();
  own.emplace_back("search_path", "pg_catalog");
  for (const auto& [name, value] : own)
    co_await db.Query("SELECT pg_catalog.set_config($1, $2, true)", name, value);
  const pg::Result definition =
      co_await db.Query("SELECT pg_get_viewdef('pg_temp.pgalter_resolve'::regclass)");
  co_await db.Execute("ROLLBACK TO SAVEPOINT pgalter_write_out");

  const auto rendered = sql::ViewTargets(definition.Get<std::string>(0, 0));
  if (!rendered || rendered->size() != text.set.size() + 2)
    throw Failure(
        ExitCode::kUnsupported,
        fmt::format("the expressions for {} cannot be written out with their schemas", from));
  for (std::size_t i = 0; i < text.set.size(); ++i) text.set[i].expression = (*rendered)[i];
  if (!text.where.empty()) text.where = (*rendered)[text.set.size()];
  co_return text;
}

}  // namespace pgalter::backfill
