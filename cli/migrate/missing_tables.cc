#include "cli/migrate/missing_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "cli/report.h"
#include "engine/catalog/read_schema.h"
#include "planner/locks/effects.h"
#include "planner/sql/script.h"

namespace pgalter::cli {

namespace {

// Clauses: "there is no relation orders".
std::vector<std::string> MissingIn(const std::string& script, catalog::Schema schema, int server) {
  std::vector<std::string> missing;
  const auto add = [&](std::string what) {
    if (std::ranges::find(missing, what) == missing.end()) missing.push_back(std::move(what));
  };
  for (const sql::Piece& piece : sql::SplitScript(script)) {
    if (piece.kind != sql::PieceKind::kStatement) continue;
    const auto statement = sql::ast::ReadStatement(piece.sql);
    if (!statement) continue;
    const locks::Effects effects = locks::EffectsOf(*statement, schema, server);
    for (const locks::Failure& failure : effects.failures)
      if (failure.refusal == locks::Refusal::kUnknownObject) add(failure.detail);
    for (const locks::Lock& lock : effects.locks)
      if (!lock.index && schema.FindTable(lock.relation) == nullptr)
        add("there is no relation " + sql::ToString(lock.relation));
    schema.Apply(*statement);
  }
  return missing;
}

}  // namespace

Task<> SayMissingTables(const Context& context, guard::Session& session,
                        const history::Migration& migration, std::string next) {
  if (!session.open()) co_return;
  constexpr int kMajor = 10'000;
  const catalog::Schema schema = co_await live::ReadSchema(session);
  const auto missing = MissingIn(migration.up.text, schema, session.db().server_version() / kMajor);
  if (missing.empty()) co_return;
  Say(context,
      fmt::format(
          "{} begins where something is there already: {}, and no migration before it makes "
          "that. {}",
          migration.file, fmt::join(missing, ", "), next));
}

}  // namespace pgalter::cli
