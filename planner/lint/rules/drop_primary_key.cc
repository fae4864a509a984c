#include <algorithm>

#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

using sql::ast::ConstraintKind;

bool IsPrimaryKey(const Context& context, const catalog::QualifiedName& name,
                  const std::string& constraint) {
  const catalog::Table* table = context.schema.FindTable(name);
  const catalog::Constraint* known = table == nullptr ? nullptr : table->FindConstraint(constraint);
  if (known != nullptr) return known->definition.kind == ConstraintKind::kPrimaryKey;
  return constraint == name.name + "_pkey";  // as the server names it
}

// In the same statement or transaction.
bool Replaced(const Context& context, const catalog::QualifiedName& table) {
  const auto adds = [&](const sql::ast::Statement& statement) {
    return Alters(context, statement, table, [](const auto& command) {
      return command.constraint && command.constraint->kind == ConstraintKind::kPrimaryKey;
    });
  };
  return adds(context.statement) || AnyLater(context, adds);
}

void Check(const Context& context, const Reporter& report) {
  ForEachCommand(
      context, sql::ast::TableChange::kDropConstraint,
      [&](const auto& alter, const auto& command, int) {
        if (!InUse(context, alter.name) || !IsPrimaryKey(context, alter.name, command.name)) return;
        if (Replaced(context, alter.name)) return;
        Remark remark;
        remark.lock = LockOn(context, alter.name);
        remark.message = fmt::format("{} is left without a primary key", Context::Show(alter.name));
        report(std::move(remark));
      });
  ForEachCommand(context, sql::ast::TableChange::kDropColumn,
                 [&](const auto& alter, const auto& command, int) {
                   const catalog::Table* table = context.schema.FindTable(alter.name);
                   const catalog::Constraint* key =
                       table == nullptr ? nullptr : table->PrimaryKey();
                   if (key == nullptr || !InUse(context, alter.name)) return;
                   if (std::ranges::find(key->definition.columns, command.name) ==
                       key->definition.columns.end())
                     return;
                   if (Replaced(context, alter.name)) return;
                   Remark remark;
                   remark.lock = LockOn(context, alter.name);
                   remark.message = fmt::format("with column {} goes the primary key of {}",
                                                command.name, Context::Show(alter.name));
                   report(std::move(remark));
                 });
}

}  // namespace

constinit const Rule kDropPrimaryKey{
    .id = "drop-primary-key",
    .title = "Primary key dropped",
    .category = Category::kClient,
    .severity = Severity::kError,
    .effect =
        "Duplicates get in, ON CONFLICT on the key and UPDATEs of a published table fail, and "
        "lookups scan the table.",
    .remedy =
        "Build the new unique index concurrently, then drop the old key and ADD PRIMARY KEY USING "
        "INDEX in one ALTER TABLE.",
    .check = &Check};

}  // namespace pgalter::lint
