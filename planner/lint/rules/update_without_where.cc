#include "planner/lint/rules/bulk.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachModify(context.statement, [&](const sql::ast::Modify& modify) {
    if (modify.verb != sql::ast::Modify::Verb::kUpdate || ExtentOf(modify) != Extent::kAll) return;
    auto remark = OnRows(
        context, modify,
        fmt::format("every row of {} is changed in one statement", Context::Show(modify.table)));
    if (remark) report(std::move(*remark));
  });
}

}  // namespace

constinit const Rule kUpdateWithoutWhere{
    .id = "update-without-where",
    .title = "UPDATE of every row",
    .category = Category::kData,
    .severity = Severity::kError,
    .effect =
        "ROW EXCLUSIVE, and every row is locked until the transaction ends: each writer waits. The "
        "table and its indexes grow by as much as they are, and standbys fall behind.",
    .remedy =
        "Go by parts of the primary key, with a COMMIT after each: `pgalter backfill` does it.",
    .check = &Check};

}  // namespace pgalter::lint
