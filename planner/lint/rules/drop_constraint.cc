#include <algorithm>

#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

using sql::ast::ConstraintKind;

// By one of the same columns, in the same statement or transaction.
bool Replaced(const Context& context, const sql::ast::AlterTable& alter, const std::string& name,
              const catalog::Constraint* known) {
  const auto adds = [&](const sql::ast::TableCommand& command) {
    if (!command.constraint) return false;
    const sql::ast::Constraint& added = *command.constraint;
    if (added.kind != ConstraintKind::kUnique && added.kind != ConstraintKind::kPrimaryKey &&
        added.kind != ConstraintKind::kExclude)
      return false;
    return added.name == name || !added.using_index.empty() ||
           (known != nullptr && added.columns == known->definition.columns);
  };
  return std::ranges::any_of(alter.commands, adds) || AnyLater(context, [&](const auto& later) {
           return Alters(context, later, alter.name, adds);
         });
}

void Check(const Context& context, const Reporter& report) {
  ForEachCommand(
      context, sql::ast::TableChange::kDropConstraint,
      [&](const auto& alter, const auto& command, int) {
        if (!InUse(context, alter.name)) return;
        const catalog::Table* table = context.schema.FindTable(alter.name);
        const catalog::Constraint* known =
            table == nullptr ? nullptr : table->FindConstraint(command.name);
        if (known != nullptr && known->definition.kind == ConstraintKind::kPrimaryKey) return;
        if (known == nullptr && command.name.ends_with("_pkey")) return;
        const bool key = known != nullptr ? known->definition.kind == ConstraintKind::kUnique ||
                                                known->definition.kind == ConstraintKind::kExclude
                                          : command.name.ends_with("_key");
        if (key && Replaced(context, alter, command.name, known)) return;
        Remark remark;
        remark.lock = LockOn(context, alter.name);
        if (key) {
          remark.severity = Severity::kWarning;
          remark.message = fmt::format(
              "with {} goes its index: ON CONFLICT on it fails, and duplicates get into {}",
              command.name, Context::Show(alter.name));
        } else {
          remark.message = fmt::format("rows that {} has kept out may get into {}", command.name,
                                       Context::Show(alter.name));
        }
        report(std::move(remark));
      });
}

}  // namespace

constinit const Rule kDropConstraint{
    .id = "drop-constraint",
    .title = "Constraint dropped",
    .category = Category::kClient,
    .severity = Severity::kNote,
    .effect =
        "ACCESS EXCLUSIVE for a moment, for a foreign key also on the table that it points at. "
        "What it kept out may come in; with a unique constraint goes its index, and ON CONFLICT on "
        "it fails.",
    .remedy =
        "Drop it when no code relies on it; where another takes its place, drop and add in one "
        "transaction.",
    .check = &Check};

}  // namespace pgalter::lint
