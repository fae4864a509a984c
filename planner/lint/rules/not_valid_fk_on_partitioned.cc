#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachFailure(
      context, locks::Refusal::kNotValidOnPartitioned, [&](const locks::Failure& failure) {
        report(Refused(
            failure,
            "a partitioned table takes no foreign key that is NOT VALID before PostgreSQL 18"));
      });
}

}  // namespace

constinit const Rule kNotValidFkOnPartitioned{
    .id = "not-valid-fk-on-partitioned",
    .title = "Foreign key added NOT VALID to a partitioned table",
    .category = Category::kFailure,
    .severity = Severity::kError,
    .effect = "Before PostgreSQL 18 the server refuses it.",
    .remedy =
        "Add the foreign key NOT VALID to every partition, validate each, then add it to the "
        "parent, which scans nothing then.",
    .check = &Check};

}  // namespace pgalter::lint
