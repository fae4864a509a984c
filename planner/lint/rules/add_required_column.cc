#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachFailure(context, locks::Refusal::kRequiredColumn, [&](const locks::Failure& failure) {
    const auto* alter = context.statement.As<sql::ast::AlterTable>();
    if (alter != nullptr && !context.Existing(alter->name)) return;
    report(Refused(failure, fmt::format("{} is NOT NULL and has no value for the rows there are",
                                        failure.subject)));
  });
}

}  // namespace

constinit const Rule kAddRequiredColumn{
    .id = "add-required-column",
    .title = "Column added NOT NULL without a value",
    .category = Category::kFailure,
    .severity = Severity::kError,
    .effect =
        "The rows that are there have no value for it: the statement fails with 23502. Where it "
        "does not, INSERTs of the code that still runs fail.",
    .remedy =
        "Give it a constant DEFAULT, or add it without NOT NULL, fill it with `pgalter backfill`, "
        "and then add NOT NULL by a validated CHECK.",
    .check = &Check};

}  // namespace pgalter::lint
