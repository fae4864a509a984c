#include <algorithm>

#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

bool IsShort(const sql::ast::TypeName& type) {
  constexpr std::string_view kShort[] = {"int2",    "int4",    "serial",
                                         "serial2", "serial4", "smallserial"};
  return type.array_dimensions == 0 && std::ranges::find(kShort, type.name) != std::end(kShort);
}

bool IsKey(const sql::ast::Constraint& constraint) {
  return constraint.kind == sql::ast::ConstraintKind::kPrimaryKey;
}

// Of several columns, another one may be the one that grows.
bool IsWholeKey(const Context& context, const sql::ast::ColumnDefinition& column) {
  if (column.Find(sql::ast::ConstraintKind::kPrimaryKey) != nullptr) return true;
  const auto* table = context.statement.As<sql::ast::CreateTable>();
  return table != nullptr && std::ranges::any_of(table->constraints, [&](const auto& constraint) {
           return IsKey(constraint) && constraint.columns == std::vector{column.name};
         });
}

void Check(const Context& context, const Reporter& report) {
  ForEachNewColumn(context, [&](const auto& table, const sql::ast::ColumnDefinition& column) {
    if (!IsShort(column.type) || !IsWholeKey(context, column)) return;
    Say(report, fmt::format("the key {} of {} is {}", column.name, Context::Show(table),
                            ToString(column.type)));
  });
}

}  // namespace

constinit const Rule kPreferBigintKey{
    .id = "prefer-bigint-key",
    .title = "Key that runs out of numbers",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "An integer key ends at 2,147,483,647: inserts fail on that day, and the change to bigint "
        "rewrites the table.",
    .remedy = "bigint from the start: it costs four bytes a row.",
    .check = &Check};

}  // namespace pgalter::lint
