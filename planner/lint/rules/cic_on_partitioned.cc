#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachFailure(
      context, locks::Refusal::kConcurrentOnPartitioned, [&](const locks::Failure& failure) {
        report(Refused(failure, "an index on a partitioned table cannot be built concurrently"));
      });
}

}  // namespace

constinit const Rule kCicOnPartitioned{
    .id = "cic-on-partitioned",
    .title = "Index built concurrently on a partitioned table",
    .category = Category::kFailure,
    .severity = Severity::kError,
    .effect = "The server refuses CREATE INDEX CONCURRENTLY on a partitioned table with 0A000.",
    .remedy =
        "CREATE INDEX ON ONLY the parent, CREATE INDEX CONCURRENTLY on every partition, then ALTER "
        "INDEX … ATTACH PARTITION for each.",
    .check = &Check};

}  // namespace pgalter::lint
