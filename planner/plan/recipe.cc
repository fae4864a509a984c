#include "planner/plan/recipe.h"

#include <algorithm>
#include <array>

namespace pgalter::plan {

namespace {

constexpr auto kRecipes = std::to_array<const Recipe*>({
#define PGALTER_RECIPE(name) &k##name,
#include "planner/plan/recipes.def"
#undef PGALTER_RECIPE
});

}  // namespace

std::span<const Recipe* const> AllRecipes() { return kRecipes; }

const sql::ast::TableCommand* Situation::Command(sql::ast::TableChange change) const {
  const auto* alter = statement.As<sql::ast::AlterTable>();
  if (alter == nullptr || alter->commands.size() != 1) return nullptr;
  return alter->commands.front().change == change ? &alter->commands.front() : nullptr;
}

const sql::QualifiedName& Situation::TableName() const {
  return statement.As<sql::ast::AlterTable>()->name;
}

bool Situation::IsPartitioned() const {
  const catalog::Table* table = Table();
  return table != nullptr && table->kind == catalog::TableKind::kPartitioned;
}

catalog::Schema Situation::After() const {
  catalog::Schema after = schema;
  after.Apply(statement);
  return after;
}

const locks::Work* Situation::FindWork(locks::Reason reason) const {
  const auto found = std::ranges::find(effects.works, reason, &locks::Work::reason);
  return found == effects.works.end() ? nullptr : &*found;
}

bool Situation::Fails(locks::Refusal refusal) const {
  return std::ranges::any_of(effects.failures,
                             [&](const auto& failure) { return failure.refusal == refusal; });
}

}  // namespace pgalter::plan
