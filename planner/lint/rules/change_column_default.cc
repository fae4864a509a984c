#include "planner/lint/rules/columns.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachCommand(context, sql::ast::TableChange::kSetDefault,
                 [&](const auto& alter, const auto& command, int) {
                   const catalog::Column* column = ColumnInUse(context, alter, command.name);
                   if (column == nullptr || !column->has_default) return;
                   if (column->origin == catalog::Origin::kInRun) return;
                   Remark remark;
                   remark.message =
                       fmt::format("new rows get another {} from here on", command.name);
                   report(std::move(remark));
                 });
}

}  // namespace

constinit const Rule kChangeColumnDefault{
    .id = "change-column-default",
    .title = "Default of a column changed",
    .category = Category::kClient,
    .severity = Severity::kNote,
    .effect =
        "Rows that running code inserts without the column get another value from then on; rows "
        "that are there keep theirs.",
    .remedy = "Nothing, where both values mean the same to the code that runs.",
    .check = &Check};

}  // namespace pgalter::lint
