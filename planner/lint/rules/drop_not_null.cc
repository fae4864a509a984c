#include "planner/lint/rules/columns.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachCommand(context, sql::ast::TableChange::kDropNotNull,
                 [&](const auto& alter, const auto& command, int) {
                   const catalog::Column* column = ColumnInUse(context, alter, command.name);
                   if (column == nullptr ? !InUse(context, alter.name) || IsKnown(context, alter)
                                         : column->known && !column->not_null)
                     return;
                   if (column != nullptr && column->origin == catalog::Origin::kInRun) return;
                   Remark remark;
                   remark.lock = LockOn(context, alter.name);
                   remark.message = fmt::format("readers of {}.{} may meet NULL from here on",
                                                Context::Show(alter.name), command.name);
                   report(std::move(remark));
                 });
}

}  // namespace

constinit const Rule kDropNotNull{
    .id = "drop-not-null",
    .title = "NOT NULL dropped",
    .category = Category::kClient,
    .severity = Severity::kNote,
    .effect = "Code that has never met a NULL in this column may fail on the first one.",
    .remedy = "Release code that copes with NULL first.",
    .check = &Check};

}  // namespace pgalter::lint
