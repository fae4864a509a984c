#include "planner/lint/rules/bridge.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* rename = context.statement.As<sql::ast::Rename>();
  if (rename == nullptr || !rename->part.empty() || !InUse(context, rename->name)) return;
  const catalog::Table* table = context.schema.FindTable(rename->name);
  const bool sequence = rename->kind == sql::ast::ObjectKind::kSequence ||
                        (rename->kind == sql::ast::ObjectKind::kTable && table != nullptr &&
                         table->kind == catalog::TableKind::kSequence);
  if (!sequence || KeepsName(context, *rename)) return;
  Remark remark;
  if (table != nullptr && table->owned_by) remark.severity = Severity::kNote;
  remark.message =
      fmt::format("code that calls nextval('{}') fails from here on", Context::Show(rename->name));
  report(std::move(remark));
}

}  // namespace

constinit const Rule kRenameSequence{
    .id = "rename-sequence",
    .title = "Sequence renamed",
    .category = Category::kClient,
    .severity = Severity::kWarning,
    .effect =
        "Running code that calls nextval('…') or currval('…') with the old name fails. Column "
        "defaults go on: they know the sequence itself.",
    .remedy = "Leave the name, or release code that uses the new one first through a function.",
    .check = &Check};

}  // namespace pgalter::lint
