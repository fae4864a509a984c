#include "batcher/cutover/validating.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "engine/run/server_refusal.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/identifier.h"

namespace pgalter::cutover {

namespace {

namespace ast = sql::ast;

constexpr std::string_view kForeignKeyViolation = "23503";

// Of foreign key $2 of table $1: both tables, which rows refer to nothing, as the server asks it
// (ri_triggers.c, RI_Initial_Check), the key of such a row, if the table has one, and whether
// users' changes are checked.
constexpr const char* kReference = R"sql(
WITH f AS (
  SELECT * FROM pg_constraint WHERE conrelid = to_regclass($1) AND conname = $2 AND contype = 'f'),
pair AS (
  SELECT n.i, quote_ident(c.attname) AS child, quote_ident(p.attname) AS parent,
         CASE s.nspname WHEN 'pg_catalog' THEN o.oprname
                        ELSE format('OPERATOR(%I.%s)', s.nspname, o.oprname) END AS equals
  FROM f CROSS JOIN LATERAL unnest(f.conkey, f.confkey, f.conpfeqop)
    WITH ORDINALITY n (own, other, op, i)
  JOIN pg_attribute c ON c.attrelid = f.conrelid AND c.attnum = n.own
  JOIN pg_attribute p ON p.attrelid = f.confrelid AND p.attnum = n.other
  JOIN pg_operator o ON o.oid = n.op JOIN pg_namespace s ON s.oid = o.oprnamespace),
own AS (
  SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.i) AS names,
         string_agg(format('f.%I', a.attname), ', ' ORDER BY k.i) AS columns
  FROM f JOIN pg_constraint x ON x.conrelid = f.conrelid AND x.contype = 'p'
  CROSS JOIN LATERAL unnest(x.conkey) WITH ORDINALITY k (attnum, i)
  JOIN pg_attribute a ON a.attrelid = x.conrelid AND a.attnum = k.attnum)
SELECT format('%I.%I', cn.nspname, c.relname), format('%I.%I', pn.nspname, p.relname),
       format('%s%I.%I AS f WHERE (%s) AND NOT EXISTS (SELECT FROM %s%I.%I AS p WHERE %s)',
              CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, cn.nspname, c.relname,
              (SELECT string_agg(format('f.%s IS NOT NULL', child),
                                 CASE f.confmatchtype WHEN 'f' THEN ' OR ' ELSE ' AND ' END
                                 ORDER BY i) FROM pair),
              CASE p.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, pn.nspname, p.relname,
              (SELECT string_agg(format('p.%s %s f.%s', parent, equals, child), ' AND ' ORDER BY i)
               FROM pair)),
       (SELECT format('format(''(%%s) = (%%s)'', %L, concat_ws('', '', %s))', names, columns)
        FROM own WHERE names IS NOT NULL),
       NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = f.oid AND t.tgenabled IN ('D', 'R'))
FROM f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace
JOIN pg_class p ON p.oid = f.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
)sql";

// Which constraint of which table a statement validates.
struct Validated {
  std::string table;       // quoted, with its schema
  std::string constraint;  // not quoted
};

std::optional<Validated> Read(const std::string& sql) {
  const auto statement = ast::ReadStatement(sql);
  const auto* alter = statement ? statement->As<ast::AlterTable>() : nullptr;
  if (alter == nullptr || alter->commands.size() != 1) return std::nullopt;
  const ast::TableCommand& command = alter->commands.front();
  if (command.change != ast::TableChange::kValidateConstraint) return std::nullopt;
  return Validated{sql::ToString(alter->name), command.name};
}

struct Unreferred {
  std::string parent;
  std::string row;     // "(id) = (5)"; empty: none is there any more
  std::string rows;    // the query that finds them all
  bool checks = true;  // what is written
};

Task<std::optional<Unreferred>> Find(Session& session, Validated what) {
  const pg::Result key = co_await session.db().Query(kReference, what.table, what.constraint);
  if (key.empty()) co_return std::nullopt;
  Unreferred found;
  found.parent = key.Get<std::string>(0, 1);
  const auto from = key.Get<std::string>(0, 2);
  found.rows = "SELECT f.* FROM " + from;
  found.checks = key.Get<bool>(0, 4);
  const auto shown = key.Get<std::optional<std::string>>(0, 3);
  const pg::Result row = co_await session.db().Query(fmt::format(
      "SELECT {} FROM {} LIMIT 1", shown.value_or("'its place ' || f.ctid::text"), from));
  if (!row.empty()) found.row = row.Get<std::string>(0, 0);
  co_return found;
}

[[noreturn]] void Refuse(const Validated& what, const std::optional<Unreferred>& found,
                         const pg::PgError& error, const Validating& how) {
  const std::string key =
      fmt::format("foreign key {} of {}", sql::QuoteIdentifier(what.constraint), what.table);
  std::string why = error.what();
  std::string mend = "Mend that";
  if (found && !found->row.empty()) {
    why = fmt::format("the row {} of {} refers to a row of {} that is not there (SQLSTATE {})",
                      found->row, what.table, found->parent, error.sqlstate());
    mend = "Delete that row, or have it refer to one that is there";
  }
  const char* from_now_on =
      found && !found->checks
          ? "what is written is not checked now either: its triggers are switched off, as they were"
          : "what is written from now on is checked";
  std::string text = fmt::format("{} is not valid yet: {}. {}, and {}. {}, then: {}", key, why,
                                 how.standing, from_now_on, mend, how.then);
  if (found) text += fmt::format(". All such rows are found by: {}", found->rows);
  throw run::ServerRefusal(run::ExitCode::kError, text, error, how.then);
}

}  // namespace

Validating ValidatingBack(const std::string& run) {
  return {"The tables are back in their places", fmt::format("pgalter revert {} --yes", run)};
}

Validating ValidatingThere(const std::string& run) {
  return {"The new tables are in their places", fmt::format("pgalter resume {}", run)};
}

Task<> Validate(Session& session, std::string sql, Validating how) {
  std::optional<pg::PgError> refused;
  try {
    co_await session.db().Query(sql);
  } catch (const pg::PgError& error) {
    if (!error.Is(kForeignKeyViolation) || !session.open()) throw;
    refused = error;
  }
  if (!refused) co_return;
  const std::optional<Validated> what = Read(sql);
  if (!what) throw *refused;
  // What cannot be looked for is not named.
  std::optional<Unreferred> found;
  try {
    found = co_await Find(session, *what);
  } catch (const pg::PgError&) {
    if (!session.open()) throw;
  }
  Refuse(*what, found, *refused, how);
}

}  // namespace pgalter::cutover
