#include "engine/run/referrers.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/async/fail_point.h"
#include "engine/run/failure.h"
#include "planner/sql/ast/statement.h"

namespace pgalter::run {

namespace {

using sql::ast::TableChange;

Task<> AddLeaving(Environment& env, guard::Session& named, const Referrers& referrers,
                  std::string parent, std::string partition, std::vector<Leaving>& leaving) {
  const pg::Result row = co_await named.db().Query(
      "SELECT i.inhparent, pg_catalog.format('%I.%I', n.nspname, p.relname)"
      " FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class p ON p.oid = i.inhrelid"
      " JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace"
      " WHERE i.inhparent = pg_catalog.to_regclass($1)::oid"
      " AND i.inhrelid = pg_catalog.to_regclass($2)::oid AND NOT i.inhdetachpending",
      parent, partition);
  if (row.empty()) co_return;
  Leaving one{row.Get<pg::Oid>(0, 0), row.Get<std::string>(0, 1)};
  const bool possible = co_await referrers.Possible(env.main, one.parent);
  if (possible) leaving.push_back(std::move(one));
}

}  // namespace

bool DetachesAtOnce(const std::string& statement) {
  const auto read = sql::ast::ReadStatement(statement);
  const auto* alter = read ? read->As<sql::ast::AlterTable>() : nullptr;
  return alter != nullptr && std::ranges::any_of(alter->commands, [](const auto& command) {
           return command.change == TableChange::kDetachPartition;
         });
}

Task<std::vector<Leaving>> LeavingBy(Environment& env, guard::Session& named,
                                     const Referrers& referrers,
                                     std::vector<std::string> statements) {
  std::vector<Leaving> leaving;
  for (const std::string& text : statements) {
    const auto statement = sql::ast::ReadStatement(text);
    const auto* alter = statement ? statement->As<sql::ast::AlterTable>() : nullptr;
    if (alter == nullptr) continue;
    for (const auto& command : alter->commands)
      if (command.change == TableChange::kDetachPartition && command.other)
        co_await AddLeaving(env, named, referrers, sql::ToString(alter->name),
                            sql::ToString(*command.other), leaving);
  }
  co_return leaving;
}

Task<std::string> WhySlowIs(Environment& env, guard::Session& named, const Referrers& referrers,
                            std::vector<std::string> statements) {
  std::string why;
  for (const std::string& text : statements) {
    const auto statement = sql::ast::ReadStatement(text);
    const auto* alter = statement ? statement->As<sql::ast::AlterTable>() : nullptr;
    if (alter == nullptr || !DetachesAtOnce(text)) continue;
    const pg::Result parent = co_await named.db().Query(
        "SELECT coalesce(pg_catalog.to_regclass($1)::oid, 0)", sql::ToString(alter->name));
    why += co_await referrers.WhySlow(env.main, parent.Get<pg::Oid>(0, 0));
  }
  co_return why;
}

Task<> RefuseReferred(Environment& env, const Referrers& referrers,
                      const std::vector<Leaving>& leaving) {
  if (!async::SafeguardOn("referrers-under-lock")) co_return;
  for (const Leaving& one : leaving) {
    const std::string why = co_await referrers.Find(env.main, one.parent, one.partition);
    if (!why.empty())
      throw Failure(ExitCode::kRefused,
                    fmt::format("{} is not detached: {}: pgalter resume {}. Nothing was changed",
                                one.partition, why, env.run.id));
  }
}

}  // namespace pgalter::run
