#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachFailure(context, locks::Refusal::kUsingIndexOnPartitioned,
                 [&](const locks::Failure& failure) {
                   report(Refused(failure, "a partitioned table takes no key USING INDEX"));
                 });
}

}  // namespace

constinit const Rule kPkUsingIndexOnPartitioned{
    .id = "pk-using-index-on-partitioned",
    .title = "Key made of an index on a partitioned table",
    .category = Category::kFailure,
    .severity = Severity::kError,
    .effect = "The server refuses ADD CONSTRAINT … USING INDEX on a partitioned table with 0A000.",
    .remedy =
        "Build a unique index on every partition concurrently and make the key USING INDEX there; "
        "then ALTER TABLE ONLY the parent ADD the key, and ALTER INDEX … ATTACH PARTITION for "
        "each.",
    .check = &Check};

}  // namespace pgalter::lint
