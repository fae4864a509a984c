#include "engine/run/own_checks.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "planner/sql/ast/statement.h"
#include "planner/sql/ast/table.h"
#include "planner/sql/identifier.h"

namespace pgalter::run {

namespace {

namespace ast = sql::ast;

// $1 run, $2 the CHECK, $3 its table as it was called.
constexpr const char* kDrop = R"sql(
WITH ours AS (SELECT relid FROM pgalter.run_table WHERE run = $1)
SELECT format('ALTER TABLE %I.%I DROP CONSTRAINT %I', n.nspname, c.relname, k.conname)
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.conname = $2 AND k.contype = 'c' AND k.conislocal
  AND (k.conrelid IN (SELECT relid FROM ours) OR k.conrelid IN (
    SELECT inhrelid FROM pg_inherits WHERE inhparent IN (SELECT relid FROM ours)))
ORDER BY k.conrelid = coalesce(to_regclass($3)::oid, 0) DESC,
         k.conrelid IN (SELECT relid FROM ours) DESC
LIMIT 1
)sql";

struct Dropped {
  std::string table;
  std::string check;
};

std::optional<Dropped> OursIn(const std::string& sql) {
  const auto statement = ast::ReadStatement(sql);
  const auto* alter = statement ? statement->As<ast::AlterTable>() : nullptr;
  if (alter == nullptr || alter->commands.size() != 1) return std::nullopt;
  const ast::TableCommand& command = alter->commands.front();
  const bool drops = command.change == ast::TableChange::kDropConstraint;
  if (!drops || !command.name.starts_with("pgalter_")) return std::nullopt;
  return Dropped{sql::ToString(alter->name), command.name};
}

// Empty: there is none.
Task<std::string> DropNow(Environment& env, const Dropped& dropped) {
  const pg::Result rows =
      co_await env.main.db().Query(kDrop, env.run.id, dropped.check, dropped.table);
  if (!rows.empty()) co_return rows.Get<std::string>(0, 0);
  const pg::Result there =
      co_await env.main.db().Query("SELECT to_regclass($1) IS NOT NULL", dropped.table);
  if (!there.Get<bool>(0, 0))
    env.progress.remark =
        fmt::format("{} is gone, and with it the CHECK that was to be dropped", dropped.table);
  co_return "";
}

}  // namespace

Task<std::vector<std::string>> WhereTheyAre(Environment& env, std::vector<std::string> undo) {
  std::vector<std::string> now;
  for (std::string& sql : undo) {
    const auto dropped = OursIn(sql);
    if (dropped) sql = co_await DropNow(env, *dropped);
    if (!sql.empty()) now.push_back(std::move(sql));
  }
  co_return now;
}

}  // namespace pgalter::run
