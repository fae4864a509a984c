#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* create = context.statement.As<sql::ast::CreateTable>();
  if (create == nullptr || !create->partition_of || !context.Existing(*create->partition_of))
    return;
  const std::string parent = Context::Show(*create->partition_of);
  bool scans = false;
  for (const locks::Work& work : context.effects.works) {
    if (work.reason != locks::Reason::kDefaultPartition || !context.Existing(work.relation))
      continue;
    scans = true;
    report(About(context, work,
                 fmt::format("default partition {} is read for rows of {}, while nobody can use {}",
                             Context::Show(work.relation), Context::Show(create->name), parent)));
  }
  if (scans) return;
  Remark remark;
  remark.message = fmt::format(
      "this waits until nobody uses {}, and keeps everybody from it meanwhile; ATTACH PARTITION "
      "would not",
      parent);
  remark.lock = LockTaken{locks::LockMode::kAccessExclusive, parent};
  // An instant, as of any ALTER TABLE.
  remark.severity = Severity::kNote;
  report(std::move(remark));
}

}  // namespace

constinit const Rule kCreatePartitionOf{
    .id = "create-partition-of",
    .title = "Partition created in place",
    .category = Category::kLock,
    .severity = Severity::kWarning,
    .effect =
        "ACCESS EXCLUSIVE on the partitioned table, and on a default partition, which is read for "
        "rows of the new one meanwhile.",
    .remedy =
        "CREATE TABLE … (LIKE parent INCLUDING ALL), then ALTER TABLE … ATTACH PARTITION, which "
        "lets reads and writes of the parent go on. A default partition first needs a validated "
        "CHECK that excludes the new bounds.",
    .check = &Check};

}  // namespace pgalter::lint
