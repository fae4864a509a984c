#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kGenerationExpression, [&](const locks::Work& work) {
    report(About(context, work,
                 fmt::format("changing the expression of {} rewrites {}", work.subject,
                             Context::Show(work.relation))));
  });
}

}  // namespace

constinit const Rule kSetExpression{
    .id = "set-expression",
    .title = "Expression of a stored generated column changed",
    .category = Category::kRewrite,
    .severity = Severity::kError,
    .effect = "Every row is computed and written anew under ACCESS EXCLUSIVE.",
    .remedy =
        "Add a new column, fill it with `pgalter backfill` and a trigger, and swap the names.",
    .check = &Check};

}  // namespace pgalter::lint
