#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachCommand(context, sql::ast::TableChange::kDisableTrigger,
                 [&](const auto& alter, const auto& command, int) {
                   if (!command.name.empty() || !InUse(context, alter.name)) return;
                   Remark remark;
                   remark.lock = LockOn(context, alter.name);
                   remark.message =
                       command.user_triggers
                           ? fmt::format("no trigger of {} fires any more",
                                         Context::Show(alter.name))
                           : fmt::format(
                                 "no trigger of {} fires any more, and its foreign keys "
                                 "are not enforced",
                                 Context::Show(alter.name));
                   report(std::move(remark));
                 });
}

}  // namespace

constinit const Rule kDisableTriggerAll{
    .id = "disable-trigger-all",
    .title = "All triggers of a table disabled",
    .category = Category::kData,
    .severity = Severity::kWarning,
    .effect =
        "SHARE ROW EXCLUSIVE: writes wait for a moment. From then on no foreign key of the table "
        "is enforced and no audit or sync trigger fires, for anybody.",
    .remedy =
        "Disable the one trigger that is in the way, by name, in a transaction that enables it "
        "again.",
    .check = &Check};

}  // namespace pgalter::lint
