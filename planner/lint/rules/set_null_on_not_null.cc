#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

bool IsNotNull(const Context& context, const catalog::QualifiedName& table,
               const std::string& column) {
  if (context.schema.NotNullProven(table, column) == catalog::Truth::kYes) return true;
  bool found = false;
  ForEachNewColumn(context, [&](const auto& name, const sql::ast::ColumnDefinition& definition) {
    if (name == table && definition.name == column)
      found = definition.Find(sql::ast::ConstraintKind::kNotNull) != nullptr ||
              definition.Find(sql::ast::ConstraintKind::kPrimaryKey) != nullptr;
  });
  return found;
}

void Check(const Context& context, const Reporter& report) {
  ForEachNewConstraint(context, [&](const auto& table, const sql::ast::Constraint& constraint,
                                    const std::vector<std::string>& columns) {
    const auto& key = constraint.foreign_key;
    if (!key || (key->on_delete != sql::ast::ReferentialAction::kSetNull &&
                 key->on_update != sql::ast::ReferentialAction::kSetNull))
      return;
    for (const std::string& column : columns)
      if (IsNotNull(context, table, column))
        Say(report, fmt::format("{}.{} is NOT NULL: no row of {} that it references can go",
                                Context::Show(table), column, Context::Show(key->target)));
  });
}

}  // namespace

constinit const Rule kSetNullOnNotNull{
    .id = "set-null-on-not-null",
    .title = "ON DELETE SET NULL on a NOT NULL column",
    .category = Category::kFailure,
    .severity = Severity::kWarning,
    .effect = "Every delete of a referenced row fails: the column cannot be set to NULL.",
    .remedy = "ON DELETE RESTRICT or CASCADE; or a column that may be NULL.",
    .check = &Check};

}  // namespace pgalter::lint
