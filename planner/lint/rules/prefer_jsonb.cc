#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachNewColumn(context, [&](const auto& table, const sql::ast::ColumnDefinition& column) {
    if (column.type.schema.empty() && column.type.name == "json")
      Say(report, fmt::format("{}.{} is json", Context::Show(table), column.name));
  });
}

}  // namespace

constinit const Rule kPreferJsonb{
    .id = "prefer-jsonb",
    .title = "json column",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "json has no equality: SELECT DISTINCT, GROUP BY and UNION over the column fail.",
    .remedy = "jsonb, unless the text has to come back byte by byte.",
    .check = &Check};

}  // namespace pgalter::lint
