#include <algorithm>

#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* rename = context.statement.As<sql::ast::Rename>();
  if (rename == nullptr || rename->kind != sql::ast::ObjectKind::kSchema) return;
  const auto tables = context.schema.TablesIn(rename->name.name);
  const bool all_new = !tables.empty() && std::ranges::all_of(tables, [&](const auto* table) {
    return !context.Existing(table->name);
  });
  if (all_new) return;
  Remark remark;
  remark.message =
      fmt::format("code that names something in {} fails from here on", rename->name.name);
  report(std::move(remark));
}

}  // namespace

constinit const Rule kRenameSchema{
    .id = "rename-schema",
    .title = "Schema renamed",
    .category = Category::kClient,
    .severity = Severity::kError,
    .effect =
        "Running code that names the schema, or has it in its search_path, fails on everything in "
        "it at once.",
    .remedy = "Make a new schema and move what is in it piece by piece, with views in the old one.",
    .check = &Check};

}  // namespace pgalter::lint
