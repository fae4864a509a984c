#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachNewColumn(context, [&](const auto& table, const sql::ast::ColumnDefinition& column) {
    if (column.type.schema.empty() && column.type.name == "numeric" &&
        column.type.modifiers.empty())
      Say(report,
          fmt::format("{}.{} is numeric of any precision", Context::Show(table), column.name));
  });
}

}  // namespace

constinit const Rule kNumericWithoutPrecision{
    .id = "numeric-without-precision",
    .title = "numeric without a precision",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "Any number of digits is kept, those of a division that nobody rounded among them.",
    .remedy = "numeric(precision, scale); raising the precision later is instant.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
