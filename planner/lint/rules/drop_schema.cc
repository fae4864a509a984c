#include <algorithm>

#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  if (context.statement.tag == "DROP OWNED") {
    Remark remark;
    remark.message = "everything that the role owns is lost";
    report(std::move(remark));
    return;
  }
  const auto* drop = context.statement.As<sql::ast::Drop>();
  if (drop == nullptr || drop->kind != sql::ast::ObjectKind::kSchema) return;
  for (const catalog::QualifiedName& name : drop->names) {
    const auto tables = context.schema.TablesIn(name.name);
    const bool all_new = !tables.empty() && std::ranges::all_of(tables, [&](const auto* table) {
      return !context.Existing(table->name);
    });
    const bool empty = tables.empty() && context.schema.complete();
    if (all_new || empty) continue;
    Remark remark;
    if (drop->cascade) {
      remark.message = fmt::format("everything in schema {} is lost", name.name);
    } else {
      remark.severity = Severity::kNote;
      remark.message = fmt::format("schema {} is dropped if it is empty", name.name);
    }
    report(std::move(remark));
  }
}

}  // namespace

constinit const Rule kDropSchema{
    .id = "drop-schema",
    .title = "Schema dropped",
    .category = Category::kData,
    .severity = Severity::kError,
    .effect = "With CASCADE everything in it is gone: tables with their rows, views, functions.",
    .remedy =
        "Drop what is in it one by one, and the schema without CASCADE, which the server refuses "
        "while it holds anything.",
    .check = &Check};

}  // namespace pgalter::lint
