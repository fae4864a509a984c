#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachCommand(
      context, sql::ast::TableChange::kReplicaIdentity,
      [&](const auto& alter, const auto& command, int) {
        if (!InUse(context, alter.name)) return;
        const catalog::Table* table = context.schema.FindTable(alter.name);
        const bool no_key = command.value == "default" && table != nullptr && table->complete &&
                            table->PrimaryKey() == nullptr;
        Remark remark;
        remark.lock = LockOn(context, alter.name);
        if (command.value == "nothing" || no_key) {
          remark.severity = Severity::kWarning;
          remark.message = fmt::format(
              "{} has no replica identity any more: where it is published, UPDATE and DELETE fail",
              Context::Show(alter.name));
        } else if (command.value == "full") {
          remark.message = fmt::format("every change of {} writes the whole old row to the WAL",
                                       Context::Show(alter.name));
        } else {
          return;
        }
        report(std::move(remark));
      });
}

}  // namespace

constinit const Rule kReplicaIdentity{
    .id = "replica-identity",
    .title = "Replica identity changed",
    .category = Category::kClient,
    .severity = Severity::kNote,
    .effect =
        "ACCESS EXCLUSIVE for a moment. Without an identity every UPDATE and DELETE of a published "
        "table fails; with FULL every one writes the whole old row to the WAL.",
    .remedy =
        "Keep the primary key as identity, or USING INDEX a unique one on columns that are NOT "
        "NULL.",
    .check = &Check};

}  // namespace pgalter::lint
