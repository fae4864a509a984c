#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachFailure(context, locks::Refusal::kUsingIndexUnfit, [&](const locks::Failure& failure) {
    report(Refused(failure, fmt::format("{} cannot become a key", failure.subject)));
  });
}

}  // namespace

constinit const Rule kUsingIndexUnfit{
    .id = "using-index-unfit",
    .title = "Key made of an index that cannot be one",
    .category = Category::kFailure,
    .severity = Severity::kError,
    .effect =
        "The server refuses an index that is partial, has an expression, DESC or NULLS FIRST, is "
        "not unique, or is invalid.",
    .remedy =
        "Build a unique index on plain columns in default order concurrently, look at "
        "pg_index.indisvalid, and use that.",
    .check = &Check};

}  // namespace pgalter::lint
