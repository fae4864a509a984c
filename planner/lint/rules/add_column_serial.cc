#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kSerialColumn, [&](const locks::Work& work) {
    report(
        About(context, work,
              fmt::format("adding serial column {} rewrites {} to number the rows that are there",
                          work.subject, Context::Show(work.relation))));
  });
}

}  // namespace

constinit const Rule kAddColumnSerial{
    .id = "add-column-serial",
    .title = "Serial column added to a table in use",
    .category = Category::kRewrite,
    .severity = Severity::kError,
    .effect =
        "Every row gets its number at once: the table and all its indexes are written anew under "
        "ACCESS EXCLUSIVE, on every version.",
    .remedy =
        "Add a bigint column, make a sequence OWNED BY it, set its nextval() as the default, fill "
        "the rows with `pgalter backfill`, then add NOT NULL by a validated CHECK.",
    .check = &Check};

}  // namespace pgalter::lint
