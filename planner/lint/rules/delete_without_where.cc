#include "planner/lint/rules/bulk.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachModify(context.statement, [&](const sql::ast::Modify& modify) {
    if (modify.verb != sql::ast::Modify::Verb::kDelete || ExtentOf(modify) != Extent::kAll) return;
    auto remark = OnRows(
        context, modify,
        fmt::format("all rows of {} are deleted in one statement", Context::Show(modify.table)));
    if (remark) report(std::move(*remark));
  });
}

}  // namespace

constinit const Rule kDeleteWithoutWhere{
    .id = "delete-without-where",
    .title = "DELETE of every row",
    .category = Category::kData,
    .severity = Severity::kError,
    .effect = "All rows are lost, and locked one by one until the transaction ends.",
    .remedy = "Say which rows, and delete them in batches.",
    .check = &Check};

}  // namespace pgalter::lint
