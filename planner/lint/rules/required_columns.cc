#include <algorithm>

#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

// What is asked for where the rule is on and nothing was said.
constexpr std::string_view kUsual = "created_at";

void Require(const Reporter& report, const sql::ast::CreateTable& table, std::string_view column) {
  if (std::ranges::find(table.columns, column, &sql::ast::ColumnDefinition::name) ==
      table.columns.end())
    Say(report, fmt::format("{} has no column {}", Context::Show(table.name), column));
}

void Check(const Context& context, const Reporter& report) {
  const auto* table = context.statement.As<sql::ast::CreateTable>();
  if (table == nullptr || table->partition_of || !table->inherits.empty() || !table->like.empty() ||
      !table->of_type.empty() || table->persistence == sql::ast::Persistence::kTemporary)
    return;
  for (const std::string& column : context.options.required_columns)
    Require(report, *table, column);
  if (context.options.required_columns.empty() && context.options.on.contains("required-columns"))
    Require(report, *table, kUsual);
}

}  // namespace

constinit const Rule kRequiredColumns{
    .id = "required-columns",
    .title = "Required column is missing",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "The table differs from what has been agreed on.",
    .remedy = "Add the column, or name the table in an ignore comment.",
    .check = &Check};

}  // namespace pgalter::lint
