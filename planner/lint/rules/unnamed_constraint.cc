#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

bool HasName(const sql::ast::Constraint& constraint) {
  using enum sql::ast::ConstraintKind;
  const bool matters = constraint.kind == kCheck || constraint.kind == kPrimaryKey ||
                       constraint.kind == kUnique || constraint.kind == kExclude ||
                       constraint.kind == kForeignKey || constraint.kind == kNotNull;
  return !matters || !constraint.name.empty() || !constraint.using_index.empty();
}

// Those that stand at a column say what they are about; nobody names them all.
void Check(const Context& context, const Reporter& report) {
  const auto check = [&](const catalog::QualifiedName& table,
                         const sql::ast::Constraint& constraint) {
    if (!HasName(constraint))
      Say(report, fmt::format("this constraint of {} has no name", Context::Show(table)));
  };
  if (const auto* table = context.statement.As<sql::ast::CreateTable>())
    for (const auto& constraint : table->constraints) check(table->name, constraint);
  ForEachCommand(context, sql::ast::TableChange::kAddConstraint,
                 [&](const auto& alter, const auto& command, int) {
                   if (command.constraint) check(alter.name, *command.constraint);
                 });
}

}  // namespace

constinit const Rule kUnnamedConstraint{
    .id = "unnamed-constraint",
    .title = "Constraint without a name",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "The server makes a name up, and a later migration has to guess it.",
    .remedy = "ADD CONSTRAINT name …",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
