#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

constexpr int kConcurrently = 14;

void CheckChild(const Context& context, const Reporter& report) {
  ForEachCommand(
      context, sql::ast::TableChange::kNoInherit, [&](const auto& alter, const auto& command, int) {
        if (!context.Existing(alter.name) || !command.other) return;
        Remark remark;
        remark.message = fmt::format("queries of {} no longer see the rows of {}",
                                     Context::Show(*command.other), Context::Show(alter.name));
        remark.remedy =
            fmt::format("Release code that reads {} by itself first.", Context::Show(alter.name));
        report(std::move(remark));
      });
}

void Check(const Context& context, const Reporter& report) {
  CheckChild(context, report);
  ForEachCommand(
      context, sql::ast::TableChange::kDetachPartition,
      [&](const auto& alter, const auto& command, int) {
        if (!context.Existing(alter.name)) return;
        const std::string parent = Context::Show(alter.name);
        Remark remark;
        remark.lock = LockTaken{locks::LockMode::kAccessExclusive, parent};
        remark.message = fmt::format(
            "detaching {} waits until nobody uses {}, and keeps everybody from it meanwhile",
            command.other ? Context::Show(*command.other) : "a partition", parent);
        const bool has_default = context.schema.DefaultPartition(alter.name) != nullptr;
        if (has_default)
          remark.remedy =
              "Beside a default partition there is no CONCURRENTLY: use a short lock_timeout, and "
              "try again when it runs out.";
        else if (context.options.server_version >= kConcurrently)
          remark.fix = AddConcurrently(context, "");
        report(std::move(remark));
      });
}

}  // namespace

constinit const Rule kDetachPartition{
    .id = "detach-partition",
    .title = "Partition detached without CONCURRENTLY",
    .category = Category::kLock,
    .severity = Severity::kWarning,
    .effect =
        "ACCESS EXCLUSIVE on the partitioned table, the partition and a default partition. It is "
        "held for an instant, but waiting for it stops every reader and writer.",
    .remedy =
        "DETACH PARTITION … CONCURRENTLY, from version 14 on and outside of a transaction; "
        "FINALIZE finishes one that was interrupted.",
    .check = &Check};

}  // namespace pgalter::lint
