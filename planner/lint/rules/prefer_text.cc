#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachNewColumn(context, [&](const auto& table, const sql::ast::ColumnDefinition& column) {
    if (column.type.name == "varchar" && !column.type.modifiers.empty())
      Say(report,
          fmt::format("{}.{} is {}", Context::Show(table), column.name, ToString(column.type)));
  });
}

}  // namespace

constinit const Rule kPreferText{
    .id = "prefer-text",
    .title = "varchar with a length",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "A length is a constraint that changes under ACCESS EXCLUSIVE; it saves no space.",
    .remedy =
        "text, with a CHECK on its length where one is wanted: that can be replaced while others "
        "work.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
