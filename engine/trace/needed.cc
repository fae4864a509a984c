#include "engine/trace/needed.h"

#include <algorithm>

#include "planner/locks/effects.h"
#include "planner/sql/script.h"

namespace pgalter::trace {

namespace {

bool HoldsRows(const catalog::Table& table) {
  return table.kind == catalog::TableKind::kTable || table.kind == catalog::TableKind::kPartitioned;
}

}  // namespace

std::vector<std::string> TablesTouched(std::string_view script, catalog::Schema schema,
                                       int server_version) {
  std::vector<std::string> names;
  schema.BeginRun();
  for (const sql::Piece& piece : sql::SplitScript(script)) {
    if (piece.kind != sql::PieceKind::kStatement) continue;
    const auto statement = sql::ast::ReadStatement(piece.sql);
    if (!statement) continue;
    for (const locks::Lock& lock : locks::EffectsOf(*statement, schema, server_version).locks) {
      const catalog::Table* table =
          lock.index ? schema.TableOfIndex(lock.relation) : schema.FindTable(lock.relation);
      if (table == nullptr || !HoldsRows(*table) || table->origin != catalog::Origin::kBefore)
        continue;
      std::string name = sql::ToString(table->name);
      if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    }
    schema.Apply(*statement);
  }
  return names;
}

}  // namespace pgalter::trace
