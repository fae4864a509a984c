#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

using sql::ast::TableChange;

void Check(const Context& context, const Reporter& report) {
  ForEachCommand(context, TableChange::kValidateConstraint,
                 [&](const auto& alter, const auto& command, int) {
                   if (!context.Existing(alter.name)) return;
                   const catalog::QualifiedName table = context.schema.Resolve(alter.name);
                   if (!context.transaction.AddedNotValid(table, command.name)) return;
                   Remark remark;
                   const Held* held = context.transaction.On(table);
                   if (held != nullptr) remark.lock = LockTaken{held->mode, Context::Show(table)};
                   remark.message = fmt::format(
                       "{} is validated in the transaction that added it, so its lock on {} is "
                       "held during the scan",
                       command.name, Context::Show(table));
                   remark.table_scan = true;
                   if (context.Small(alter.name)) remark.severity = Severity::kNote;
                   report(std::move(remark));
                 });
}

}  // namespace

constinit const Rule kValidateInSameTx{
    .id = "validate-in-same-tx",
    .title = "Constraint added NOT VALID and validated in one transaction",
    .category = Category::kTransaction,
    .severity = Severity::kError,
    .effect =
        "The lock of ADD CONSTRAINT is kept while VALIDATE reads the table: NOT VALID has "
        "saved nothing.",
    .remedy =
        "Commit between ADD CONSTRAINT … NOT VALID and VALIDATE CONSTRAINT: two transactions, "
        "or two migrations.",
    .check = &Check};

}  // namespace pgalter::lint
