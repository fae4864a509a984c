#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* table = context.statement.As<sql::ast::CreateTable>();
  if (table != nullptr && table->persistence == sql::ast::Persistence::kUnlogged)
    Say(report, fmt::format("{} is unlogged", Context::Show(table->name)));
}

}  // namespace

constinit const Rule kUnloggedTable{
    .id = "unlogged-table",
    .title = "Unlogged table",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "It is empty after a crash and on every standby.",
    .remedy = "A logged table, unless what it holds may be lost at any time.",
    .check = &Check};

}  // namespace pgalter::lint
