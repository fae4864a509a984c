#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

// What goes with the column.
std::string Company(const catalog::Table* table, const sql::ast::TableCommand& command) {
  if (command.cascade) return ", with every view and foreign key that uses it";
  if (table == nullptr) return {};
  for (const catalog::Index& index : table->indexes)
    if (index.Mentions(command.name)) return fmt::format(", with index {}", index.name.name);
  return {};
}

void Check(const Context& context, const Reporter& report) {
  ForEachCommand(context, sql::ast::TableChange::kDropColumn,
                 [&](const auto& alter, const auto& command, int) {
                   if (!InUse(context, alter.name)) return;
                   const catalog::Table* table = context.schema.FindTable(alter.name);
                   const catalog::Column* column =
                       table == nullptr ? nullptr : table->FindColumn(command.name);
                   if (column != nullptr && column->origin == catalog::Origin::kInRun) return;
                   const bool gone = column == nullptr && table != nullptr && table->complete;
                   if (gone && command.if_exists) return;
                   Remark remark;
                   remark.lock = LockOn(context, alter.name);
                   remark.message = fmt::format("the values of {} in {} are lost{}", command.name,
                                                Context::Show(alter.name), Company(table, command));
                   report(std::move(remark));
                 });
}

}  // namespace

constinit const Rule kDropColumn{
    .id = "drop-column",
    .title = "Column dropped",
    .category = Category::kData,
    .severity = Severity::kError,
    .effect =
        "ACCESS EXCLUSIVE for a moment; the values are gone, with every index, constraint and "
        "statistics object on the column, and running code that names it fails.",
    .remedy =
        "First release code that does not read or write the column, and only then drop it, in a "
        "later migration.",
    .check = &Check};

}  // namespace pgalter::lint
