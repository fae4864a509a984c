#include <set>
#include <utility>

#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

using locks::Reason;

std::string Message(const locks::Work& work) {
  const std::string name = Context::Show(work.relation);
  if (work.reason == Reason::kDefaultPartition)
    return fmt::format(
        "default partition {} is read for rows of the new one, while nobody can use "
        "it",
        name);
  if (work.reason == Reason::kPartitionBound)
    return fmt::format("all of {} is read to see whether its rows fit", name);
  return fmt::format("ATTACH gives {} what the partitioned table has, and reads all of it for that",
                     name);
}

void Check(const Context& context, const Reporter& report) {
  const auto* alter = context.statement.As<sql::ast::AlterTable>();
  if (alter == nullptr) return;
  std::set<std::pair<std::string, Reason>> said;
  for (const locks::Work& work : context.effects.works) {
    const auto* command = CommandOf(context, work);
    if (command == nullptr || command->change != sql::ast::TableChange::kAttachPartition) continue;
    if (!context.Existing(work.relation)) continue;
    if (!said.emplace(Context::Show(work.relation), work.reason).second) continue;
    report(About(context, work, Message(work)));
  }
}

}  // namespace

constinit const Rule kAttachPartition{
    .id = "attach-partition",
    .title = "Partition attached without a proof of its bounds",
    .category = Category::kScan,
    .severity = Severity::kError,
    .effect =
        "ACCESS EXCLUSIVE on the new partition, and on a default partition, while they are read. "
        "Missing indexes are built meanwhile.",
    .remedy =
        "First ADD CHECK with the bounds and NOT NULL of the key, NOT VALID, and VALIDATE it in "
        "another transaction; on a default partition the opposite CHECK. Build the indexes "
        "CONCURRENTLY. Drop the CHECKs afterwards.",
    .check = &Check};

}  // namespace pgalter::lint
