#include "planner/lint/rules/bulk.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachModify(context.statement, [&](const sql::ast::Modify& modify) {
    if (ExtentOf(modify) != Extent::kNearly) return;
    auto remark = OnRows(
        context, modify,
        fmt::format(
            "this condition holds for most rows of {}, and they are changed in one statement",
            Context::Show(modify.table)));
    if (remark) report(std::move(*remark));
  });
}

}  // namespace

constinit const Rule kUnbatchedBackfill{
    .id = "unbatched-backfill",
    .title = "Whole table changed in one statement",
    .category = Category::kData,
    .severity = Severity::kWarning,
    .effect =
        "The rows stay locked until the last one is done: each writer of one of them waits. Dead "
        "rows pile up and standbys fall behind.",
    .remedy =
        "Go by parts of the primary key, with a COMMIT after each: `pgalter backfill` does it.",
    .check = &Check};

}  // namespace pgalter::lint
