#include "planner/lint/rules/columns.h"

namespace pgalter::lint {

namespace {

// SET GENERATED ALWAYS.
void CheckIdentity(const Context& context, const Reporter& report) {
  ForEachCommand(context, sql::ast::TableChange::kSetIdentity,
                 [&](const auto& alter, const auto& command, int) {
                   const auto kind = command.options.find("generated");
                   if (kind == command.options.end() || kind->second != "always") return;
                   const catalog::Column* column = ColumnInUse(context, alter, command.name);
                   if (!InUse(context, alter.name) ||
                       (column != nullptr && column->origin == catalog::Origin::kInRun))
                     return;
                   Remark remark;
                   remark.severity = Severity::kWarning;
                   remark.message = fmt::format(
                       "INSERTs that give {} of {} themselves fail from "
                       "here on",
                       command.name, Context::Show(alter.name));
                   remark.remedy = "Release code that leaves the column out first.";
                   report(std::move(remark));
                 });
}

void Check(const Context& context, const Reporter& report) {
  CheckIdentity(context, report);
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
