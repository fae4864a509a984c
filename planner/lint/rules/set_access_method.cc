#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kAccessMethod, [&](const locks::Work& work) {
    report(About(context, work,
                 fmt::format("SET ACCESS METHOD rewrites {}", Context::Show(work.relation))));
  });
}

}  // namespace

constinit const Rule kSetAccessMethod{
    .id = "set-access-method",
    .title = "Access method changed",
    .category = Category::kRewrite,
    .severity = Severity::kError,
    .effect = "The table and all its indexes are written anew under ACCESS EXCLUSIVE.",
    .remedy =
        "Make a new table with that access method, copy the rows in batches while a trigger keeps "
        "up, and swap the names.",
    .check = &Check};

}  // namespace pgalter::lint
