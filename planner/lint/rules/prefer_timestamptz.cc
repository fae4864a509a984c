#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachNewColumn(context, [&](const auto& table, const sql::ast::ColumnDefinition& column) {
    if (column.type.schema.empty() && column.type.name == "timestamp")
      Say(report, fmt::format("{}.{} is a timestamp without a time zone", Context::Show(table),
                              column.name));
  });
}

}  // namespace

constinit const Rule kPreferTimestamptz{
    .id = "prefer-timestamptz",
    .title = "timestamp without a time zone",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "The same value is another moment for every session with another TimeZone.",
    .remedy = "timestamptz: as large, and one moment for everybody.",
    .check = &Check};

}  // namespace pgalter::lint
