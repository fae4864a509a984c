#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachNewColumn(context, [&](const auto& table, const sql::ast::ColumnDefinition& column) {
    if (sql::ast::IsSerial(column.type))
      Say(report,
          fmt::format("{}.{} is {}", Context::Show(table), column.name, ToString(column.type)));
  });
}

}  // namespace

constinit const Rule kPreferIdentity{
    .id = "prefer-identity",
    .title = "Serial column",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "The sequence of a serial column has rights and an owner of its own, and any value may be "
        "written past it.",
    .remedy = "bigint GENERATED ALWAYS AS IDENTITY.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
