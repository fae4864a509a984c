#include <algorithm>

#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

using sql::ast::TableChange;

bool AlterRepeats(const sql::ast::AlterTable& alter) {
  return std::ranges::all_of(alter.commands, [](const sql::ast::TableCommand& command) {
    const bool matters = command.change == TableChange::kAddColumn ||
                         command.change == TableChange::kDropColumn ||
                         command.change == TableChange::kDropConstraint;
    return !matters || command.if_exists;
  });
}

// An index that is built CONCURRENTLY may be there and be invalid: IF NOT EXISTS would hide it.
bool IndexRepeats(const sql::ast::CreateIndex& index) {
  return index.concurrently || index.if_not_exists || index.name.empty();
}

bool Repeats(const sql::ast::Statement& statement) {
  if (const auto* table = statement.As<sql::ast::CreateTable>()) return table->if_not_exists;
  if (const auto* table = statement.As<sql::ast::CreateTableAs>()) return table->if_not_exists;
  if (const auto* index = statement.As<sql::ast::CreateIndex>()) return IndexRepeats(*index);
  if (const auto* drop = statement.As<sql::ast::Drop>()) return drop->if_exists;
  if (const auto* alter = statement.As<sql::ast::AlterTable>()) return AlterRepeats(*alter);
  if (const auto* schema = statement.As<sql::ast::CreateSchema>()) return schema->if_not_exists;
  if (const auto* sequence = statement.As<sql::ast::Sequence>())
    return !sequence->create || sequence->if_not_exists;
  if (const auto* extension = statement.As<sql::ast::Extension>())
    return !extension->create || extension->if_not_exists;
  if (const auto* alter = statement.As<sql::ast::AlterEnum>())
    return !alter->old_value.empty() || alter->if_not_exists;
  return true;
}

void Check(const Context& context, const Reporter& report) {
  if (context.transaction.open() || Repeats(context.statement)) return;
  Say(report, fmt::format("{} fails when it is run again", context.statement.tag));
}

}  // namespace

constinit const Rule kPreferIfExists{
    .id = "prefer-if-exists",
    .title = "Statement that cannot be run twice",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "After a failure half way, the file cannot be run again as it is.",
    .remedy = "IF EXISTS and IF NOT EXISTS; or one transaction for the file.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
