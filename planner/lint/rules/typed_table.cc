#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* table = context.statement.As<sql::ast::CreateTable>();
  if (table != nullptr && !table->of_type.empty())
    Say(report,
        fmt::format("{} is a table of type {}", Context::Show(table->name), table->of_type));
}

}  // namespace

constinit const Rule kTypedTable{
    .id = "typed-table",
    .title = "Table of a composite type",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "Its columns change only with the type, in all tables of that type at once.",
    .remedy = "A table with columns of its own; LIKE copies another's.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
