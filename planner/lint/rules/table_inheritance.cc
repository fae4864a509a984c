#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* table = context.statement.As<sql::ast::CreateTable>();
  if (table != nullptr && !table->inherits.empty())
    Say(report, fmt::format("{} inherits from {}", Context::Show(table->name),
                            Context::Show(table->inherits.front())));
  ForEachCommand(context, sql::ast::TableChange::kInherit,
                 [&](const auto& alter, const auto& command, int) {
                   if (command.other)
                     Say(report, fmt::format("{} inherits from {}", Context::Show(alter.name),
                                             Context::Show(*command.other)));
                 });
}

}  // namespace

constinit const Rule kTableInheritance{
    .id = "table-inheritance",
    .title = "Table inheritance",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "Keys, unique constraints and foreign keys of the parent do not hold for its children.",
    .remedy = "Declarative partitioning, or a foreign key.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
