#include <algorithm>

#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* alter = context.statement.As<sql::ast::AlterTable>();
  if (alter == nullptr || !InUse(context, alter->name)) return;
  const auto partitions = context.schema.Partitions(alter->name);
  const auto locked = std::ranges::count_if(partitions, [&](const catalog::Table* partition) {
    const auto lock = LockOn(context, partition->name);
    return lock && locks::BlocksReads(lock->mode);
  });
  if (locked < 2) return;  // attaching and detaching lock the one that is meant
  Remark remark;
  remark.lock = LockOn(context, alter->name);
  remark.message = fmt::format("{} and {} of its partitions are locked together",
                               Context::Show(alter->name), locked);
  report(std::move(remark));
}

}  // namespace

constinit const Rule kPartitionedFanout{
    .id = "partitioned-fanout",
    .title = "Partitioned table altered",
    .category = Category::kLock,
    .severity = Severity::kNote,
    .effect =
        "The lock is taken on every partition, too, and on all of them until the transaction ends.",
    .remedy =
        "Set a lock_timeout and try again; what can differ between partitions is done one by one.",
    .check = &Check};

}  // namespace pgalter::lint
