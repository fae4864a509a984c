#include "planner/lint/rules/bridge.h"

namespace pgalter::lint {

namespace {

bool IsNewColumn(const Context& context, const sql::ast::Rename& rename) {
  const catalog::Table* table = context.schema.FindTable(rename.name);
  const catalog::Column* column = table == nullptr ? nullptr : table->FindColumn(rename.part);
  return column != nullptr && column->origin == catalog::Origin::kInRun;
}

// Two columns change places: the old name goes on to exist, or the new one did before.
bool IsSwapped(const Context& context, const sql::ast::Rename& mine) {
  const auto leaves = [&](const sql::ast::Statement& statement) {
    const auto* other = statement.As<sql::ast::Rename>();
    if (other != nullptr)
      return other->kind == sql::ast::ObjectKind::kColumn && other->new_name == mine.part &&
             Same(context, other->name, mine.name);
    return Alters(context, statement, mine.name, [&](const auto& command) {
      return command.column && command.column->name == mine.part;
    });
  };
  const auto freed = [&](const sql::ast::Statement& statement) {
    const auto* other = statement.As<sql::ast::Rename>();
    return other != nullptr && other->kind == sql::ast::ObjectKind::kColumn &&
           other->part == mine.new_name && Same(context, other->name, mine.name);
  };
  return AnyLater(context, leaves) || AnyEarlier(context, freed);
}

void Check(const Context& context, const Reporter& report) {
  const auto* rename = context.statement.As<sql::ast::Rename>();
  if (rename == nullptr || rename->kind != sql::ast::ObjectKind::kColumn) return;
  if (!InUse(context, rename->name) || IsNewColumn(context, *rename)) return;
  if (IsSwapped(context, *rename) || HasViewBridge(context, rename->name)) return;
  Remark remark;
  remark.lock = LockOn(context, rename->name);
  remark.message = fmt::format("code that names {}.{} fails from here on",
                               Context::Show(rename->name), rename->part);
  report(std::move(remark));
}

}  // namespace

constinit const Rule kRenameColumn{
    .id = "rename-column",
    .title = "Column renamed",
    .category = Category::kClient,
    .severity = Severity::kError,
    .effect =
        "ACCESS EXCLUSIVE for a moment; from then on running code that names the column fails.",
    .remedy =
        "Add the new column, keep both the same by a trigger, fill it with `pgalter backfill`, "
        "release code that uses it, drop the old one. Or rename table and column and put a view "
        "with the old names in their place, in one transaction.",
    .check = &Check};

}  // namespace pgalter::lint
