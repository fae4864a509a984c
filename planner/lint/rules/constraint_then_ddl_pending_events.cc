#include <algorithm>

#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

using sql::ast::Modify;

std::vector<catalog::QualifiedName> AlteredBy(const sql::ast::Statement& statement) {
  if (const auto* alter = statement.As<sql::ast::AlterTable>()) return {alter->name};
  if (const auto* truncate = statement.As<sql::ast::Truncate>()) return truncate->tables;
  const auto* drop = statement.As<sql::ast::Drop>();
  if (drop != nullptr && drop->kind == sql::ast::ObjectKind::kTable) return drop->names;
  return {};
}

// SET CONSTRAINTS … IMMEDIATE: everything pending is checked at once.
bool IsImmediate(const ScriptStatement& read) {
  return read.statement.tag == "SET CONSTRAINTS" &&
         read.text.find("IMMEDIATE") != std::string_view::npos;
}

bool Touches(const Modify& modify, const std::vector<std::string>& columns) {
  if (modify.verb != Modify::Verb::kUpdate) return true;
  return std::ranges::any_of(columns, [&](const std::string& column) {
    return std::ranges::find(modify.set_columns, column) != modify.set_columns.end();
  });
}

// Whether a foreign key will look at the changed rows of this table when the transaction ends.
bool LeavesChecks(const Context& context, const Modify& modify, const catalog::Table& table) {
  if (!Same(context, modify.table, table.name)) return false;
  if (modify.verb != Modify::Verb::kDelete) {
    for (const catalog::Constraint& own : table.constraints)
      if (own.definition.foreign_key && own.definition.initially_deferred &&
          Touches(modify, own.definition.columns))
        return true;
  }
  if (modify.verb == Modify::Verb::kInsert) return false;
  for (const auto& [from, constraint] : context.schema.References(table.name)) {
    const auto& key = constraint->definition;
    if (key.initially_deferred && Touches(modify, key.foreign_key->target_columns)) return true;
  }
  return false;
}

void Check(const Context& context, const Reporter& report) {
  for (const catalog::QualifiedName& name : AlteredBy(context.statement)) {
    const catalog::Table* table = context.schema.FindTable(name);
    if (table == nullptr) continue;
    for (const ScriptStatement* read : Earlier(context)) {
      if (IsImmediate(*read)) break;
      const auto* modify = read->statement.As<Modify>();
      if (modify == nullptr || !LeavesChecks(context, *modify, *table)) continue;
      Remark remark;
      remark.message = fmt::format(
          "{} has rows changed in this transaction that a deferred foreign key still has to check",
          Context::Show(name));
      report(std::move(remark));
      return;
    }
  }
}

}  // namespace

constinit const Rule kConstraintThenDdlPendingEvents{
    .id = "constraint-then-ddl-pending-events",
    .title = "Table altered after its rows, with a deferred check pending",
    .category = Category::kFailure,
    .severity = Severity::kError,
    .effect =
        "The deferred foreign key has not looked at the changed rows yet: the server refuses to "
        "alter the table with 55006.",
    .remedy = "Commit between the two; or SET CONSTRAINTS ALL IMMEDIATE before the ALTER TABLE.",
    .check = &Check};

}  // namespace pgalter::lint
