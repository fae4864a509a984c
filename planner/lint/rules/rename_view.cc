#include "planner/lint/rules/bridge.h"

namespace pgalter::lint {

namespace {

bool IsView(const Context& context, const sql::ast::Rename& rename) {
  using catalog::TableKind;
  using sql::ast::ObjectKind;
  if (rename.kind == ObjectKind::kView || rename.kind == ObjectKind::kMaterializedView) return true;
  const catalog::Table* table = context.schema.FindTable(rename.name);
  return rename.kind == ObjectKind::kTable && table != nullptr &&
         (table->kind == TableKind::kView || table->kind == TableKind::kMaterializedView);
}

void Check(const Context& context, const Reporter& report) {
  const auto* rename = context.statement.As<sql::ast::Rename>();
  if (rename == nullptr || !rename->part.empty() || !IsView(context, *rename)) return;
  if (!InUse(context, rename->name) || KeepsName(context, *rename)) return;
  Remark remark;
  remark.lock = LockOn(context, rename->name);
  remark.message =
      fmt::format("code that reads {} fails from here on", Context::Show(rename->name));
  report(std::move(remark));
}

}  // namespace

constinit const Rule kRenameView{
    .id = "rename-view",
    .title = "View renamed",
    .category = Category::kClient,
    .severity = Severity::kWarning,
    .effect = "Running code that reads it by its old name fails.",
    .remedy = "Make a second view with the new name; drop the old one when no code reads it.",
    .check = &Check};

}  // namespace pgalter::lint
