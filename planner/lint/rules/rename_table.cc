#include <algorithm>

#include "planner/lint/rules/bridge.h"

namespace pgalter::lint {

namespace {

// ALTER TABLE … RENAME takes views, sequences and indexes, too.
bool IsTable(const Context& context, const sql::ast::Rename& rename) {
  using catalog::TableKind;
  if (rename.kind != sql::ast::ObjectKind::kTable &&
      rename.kind != sql::ast::ObjectKind::kForeignTable)
    return false;
  const catalog::Table* table = context.schema.FindTable(rename.name);
  if (table == nullptr) return context.schema.FindIndex(rename.name) == nullptr;
  return table->kind == TableKind::kTable || table->kind == TableKind::kPartitioned ||
         table->kind == TableKind::kForeign;
}

// A new table gets the name in this transaction, and nothing has put rows into it.
bool GivesWayToEmpty(const Context& context, const sql::ast::Rename& rename) {
  return AnyLater(context, [&](const sql::ast::Statement& statement) {
    const auto* other = statement.As<sql::ast::Rename>();
    if (other == nullptr || !other->part.empty() || !context.schema.IsNew(other->name) ||
        !Same(context, {other->name.schema, other->new_name}, rename.name))
      return false;
    return std::ranges::none_of(context.before, [&](const ScriptStatement& earlier) {
      const auto* filled = earlier.statement.As<sql::ast::Modify>();
      const auto* copied = earlier.statement.As<sql::ast::CreateTableAs>();
      return (filled != nullptr && Same(context, filled->table, other->name)) ||
             (copied != nullptr && copied->with_data && Same(context, copied->name, other->name));
    });
  });
}

void Check(const Context& context, const Reporter& report) {
  const auto* rename = context.statement.As<sql::ast::Rename>();
  if (rename == nullptr || !rename->part.empty() || !IsTable(context, *rename)) return;
  if (!InUse(context, rename->name)) return;
  const std::string name = Context::Show(rename->name);
  const bool empty = GivesWayToEmpty(context, *rename);
  if (!empty && KeepsName(context, *rename)) return;
  Remark remark;
  remark.lock = LockOn(context, rename->name);
  remark.message = empty ? fmt::format("code that reads {} finds an empty table from here on", name)
                         : fmt::format("code that names {} fails from here on", name);
  report(std::move(remark));
}

}  // namespace

constinit const Rule kRenameTable{
    .id = "rename-table",
    .title = "Table renamed",
    .category = Category::kClient,
    .severity = Severity::kError,
    .effect =
        "ACCESS EXCLUSIVE for a moment; from then on running code that names the table fails.",
    .remedy =
        "Rename it and CREATE VIEW with the old name in one transaction, with the same rights; "
        "drop the view when no code uses it.",
    .check = &Check};

}  // namespace pgalter::lint
