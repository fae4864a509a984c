#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto check = [&](const catalog::QualifiedName& name) {
    if (name.schema || context.schema.Resolve(name).schema == "pg_temp") return;
    Say(report, fmt::format("{} stands without its schema", Context::Show(name)));
  };
  const auto& statement = context.statement;
  if (const auto* table = statement.As<sql::ast::CreateTable>()) {
    if (table->persistence != sql::ast::Persistence::kTemporary) check(table->name);
  } else if (const auto* alter = statement.As<sql::ast::AlterTable>()) {
    check(alter->name);
  } else if (const auto* index = statement.As<sql::ast::CreateIndex>()) {
    check(index->table);
  } else if (const auto* view = statement.As<sql::ast::CreateView>()) {
    if (!view->temporary) check(view->name);
  } else if (const auto* function = statement.As<sql::ast::CreateFunction>()) {
    check(function->name);
  } else if (const auto* type = statement.As<sql::ast::CreateType>()) {
    check(type->name);
  } else if (const auto* trigger = statement.As<sql::ast::CreateTrigger>()) {
    check(trigger->table);
  }
}

}  // namespace

constinit const Rule kUnqualifiedName{
    .id = "unqualified-name",
    .title = "Name without a schema",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "Which object it is depends on the search path of whoever runs the file.",
    .remedy = "Write schema.name.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
