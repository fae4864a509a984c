#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* table = context.statement.As<sql::ast::CreateTable>();
  if (table != nullptr && table->bound && table->bound->is_default && table->partition_of)
    Say(report, fmt::format("{} is the default partition of {}", Context::Show(table->name),
                            Context::Show(*table->partition_of)));
  ForEachCommand(context, sql::ast::TableChange::kAttachPartition,
                 [&](const auto& alter, const auto& command, int) {
                   if (command.bound && command.bound->is_default && command.other)
                     Say(report,
                         fmt::format("{} becomes the default partition of {}",
                                     Context::Show(*command.other), Context::Show(alter.name)));
                 });
}

}  // namespace

constinit const Rule kCreateDefaultPartition{
    .id = "create-default-partition",
    .title = "Default partition",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "Each new partition reads all of it under ACCESS EXCLUSIVE, and DETACH CONCURRENTLY is "
        "refused beside it.",
    .remedy = "Make partitions ahead of time instead, and let rows without one fail.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
