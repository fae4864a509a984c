#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kVolatileDefault, [&](const locks::Work& work) {
    report(About(context, work,
                 fmt::format("adding column {} with a default that differs from row to row "
                             "rewrites {}",
                             work.subject, Context::Show(work.relation))));
  });
}

}  // namespace

constinit const Rule kAddColumnVolatileDefault{
    .id = "add-column-volatile-default",
    .title = "Column added with a volatile default",
    .category = Category::kRewrite,
    .severity = Severity::kError,
    .effect =
        "The table and all its indexes are written anew under ACCESS EXCLUSIVE: nobody reads "
        "or writes it meanwhile.",
    .remedy =
        "Add the column without a default, set the default in a second statement, fill the "
        "rows with `pgalter backfill`, then add NOT NULL by a validated CHECK.",
    .check = &Check};

}  // namespace pgalter::lint
