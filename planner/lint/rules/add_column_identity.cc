#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kIdentityColumn, [&](const locks::Work& work) {
    report(
        About(context, work,
              fmt::format("adding identity column {} rewrites {} to number the rows that are there",
                          work.subject, Context::Show(work.relation))));
  });
}

}  // namespace

constinit const Rule kAddColumnIdentity{
    .id = "add-column-identity",
    .title = "Identity column added to a table in use",
    .category = Category::kRewrite,
    .severity = Severity::kError,
    .effect =
        "Every row gets its number at once: the table and all its indexes are written anew under "
        "ACCESS EXCLUSIVE.",
    .remedy =
        "Add a bigint column with a sequence as its default, fill the rows with `pgalter "
        "backfill`, add NOT NULL by a validated CHECK, then ADD GENERATED … AS IDENTITY, which "
        "looks at no row.",
    .check = &Check};

}  // namespace pgalter::lint
