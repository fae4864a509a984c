#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachFailure(context, locks::Refusal::kColumnInUse, [&](const locks::Failure& failure) {
    report(Refused(failure, fmt::format("column {} cannot be changed", failure.subject)));
  });
}

}  // namespace

constinit const Rule kTypeChangeBlocked{
    .id = "type-change-blocked",
    .title = "Type of a column changed that something else is made of",
    .category = Category::kFailure,
    .severity = Severity::kError,
    .effect =
        "The server refuses it with 0A000 while a view, rule, policy, generated column, trigger or "
        "partition key uses the column.",
    .remedy =
        "Drop what uses it, change the type and make it again, all in one transaction; or add a "
        "new column, fill it, and swap.",
    .check = &Check};

}  // namespace pgalter::lint
