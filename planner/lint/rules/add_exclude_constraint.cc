#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kExclusion, [&](const locks::Work& work) {
    report(About(context, work,
                 fmt::format("this exclusion constraint builds its index while nobody can use {}",
                             Context::Show(work.relation))));
  });
}

}  // namespace

constinit const Rule kAddExcludeConstraint{
    .id = "add-exclude-constraint",
    .title = "Exclusion constraint added to a table in use",
    .category = Category::kScan,
    .severity = Severity::kError,
    .effect =
        "ACCESS EXCLUSIVE while its index is built and every row is compared. No version has an "
        "online form.",
    .remedy =
        "A new table with the constraint, filled in batches while a trigger keeps up, then a swap "
        "of the names; or a maintenance window.",
    .check = &Check};

}  // namespace pgalter::lint
