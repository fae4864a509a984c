#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachNewColumn(context, [&](const auto& table, const sql::ast::ColumnDefinition& column) {
    if (column.type.schema.empty() && column.type.name == "bpchar" &&
        !column.type.modifiers.empty())
      Say(report, fmt::format("{}.{} is char({})", Context::Show(table), column.name,
                              column.type.modifiers.front()));
  });
}

}  // namespace

constinit const Rule kAvoidChar{
    .id = "avoid-char",
    .title = "char(n)",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "Values are padded with blanks to their length, and the blanks do not count when they are "
        "compared.",
    .remedy = "text, with a CHECK on its length where it is fixed.",
    .check = &Check};

}  // namespace pgalter::lint
