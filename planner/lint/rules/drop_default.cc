#include <algorithm>

#include "planner/lint/rules/columns.h"

namespace pgalter::lint {

namespace {

// Another default, or an identity, in the same statement or transaction.
bool GetsValue(const Context& context, const sql::ast::AlterTable& alter,
               const std::string& column) {
  const auto gives = [&](const sql::ast::TableCommand& command) {
    using sql::ast::TableChange;
    return command.name == column && (command.change == TableChange::kAddIdentity ||
                                      command.change == TableChange::kSetDefault ||
                                      command.change == TableChange::kDropNotNull ||
                                      command.change == TableChange::kDropColumn);
  };
  return std::ranges::any_of(alter.commands, gives) || AnyLater(context, [&](const auto& later) {
           return Alters(context, later, alter.name, gives);
         });
}

void CheckExpression(const Context& context, const Reporter& report) {
  ForEachCommand(context, sql::ast::TableChange::kDropExpression,
                 [&](const auto& alter, const auto& command, int) {
                   const catalog::Column* column = ColumnInUse(context, alter, command.name);
                   if (!InUse(context, alter.name) || (column != nullptr && !column->generated))
                     return;
                   Remark remark;
                   remark.lock = LockOn(context, alter.name);
                   remark.message = fmt::format("{} of {} is no longer computed for new rows",
                                                command.name, Context::Show(alter.name));
                   remark.remedy =
                       "Give the column another source first: a trigger, or code that writes it.";
                   report(std::move(remark));
                 });
}

void CheckIdentity(const Context& context, const Reporter& report) {
  const auto judge = [&](const auto& alter, const auto& command, int) {
    const catalog::Column* column = ColumnInUse(context, alter, command.name);
    if (column == nullptr || !column->identity || GetsValue(context, alter, command.name)) return;
    Remark remark;
    remark.lock = LockOn(context, alter.name);
    remark.message = fmt::format("INSERTs that leave {} of {} out fail from here on", command.name,
                                 Context::Show(alter.name));
    remark.remedy = "Give the column a default in the same transaction: nextval of a sequence.";
    report(std::move(remark));
  };
  ForEachCommand(context, sql::ast::TableChange::kDropIdentity, judge);
}

void Check(const Context& context, const Reporter& report) {
  CheckExpression(context, report);
  CheckIdentity(context, report);
  ForEachCommand(
      context, sql::ast::TableChange::kDropDefault,
      [&](const auto& alter, const auto& command, int) {
        const catalog::Column* column = ColumnInUse(context, alter, command.name);
        if (column == nullptr ? !InUse(context, alter.name) || IsKnown(context, alter)
                              : column->known && (!column->not_null || !column->has_default))
          return;
        if (GetsValue(context, alter, command.name)) return;
        Remark remark;
        remark.lock = LockOn(context, alter.name);
        if (column == nullptr || !column->known) remark.severity = Severity::kNote;
        remark.message = fmt::format("INSERTs that leave {} of {} out {} from here on",
                                     command.name, Context::Show(alter.name),
                                     column != nullptr && column->known ? "fail" : "may fail");
        report(std::move(remark));
      });
}

}  // namespace

constinit const Rule kDropDefault{
    .id = "drop-default",
    .title = "Default of a NOT NULL column dropped",
    .category = Category::kClient,
    .severity = Severity::kWarning,
    .effect = "INSERTs of running code that leave the column out fail with 23502.",
    .remedy = "Keep the default until the code that relies on it is gone.",
    .check = &Check};

}  // namespace pgalter::lint
