#include <fmt/ranges.h>
#include <algorithm>
#include <span>

#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

// In any order, as long as no other column comes between.
bool Covers(const catalog::Index& index, const std::vector<std::string>& columns) {
  if (index.where || index.columns.size() < columns.size() || index.method == "gin" ||
      index.method == "brin")
    return false;
  const auto leading = std::span(index.columns).first(columns.size());
  return std::ranges::all_of(columns, [&](const std::string& column) {
    return std::ranges::find(leading, column, &sql::ast::IndexColumn::column) != leading.end();
  });
}

// Only of a table that is known whole: elsewhere an index may be there unseen.
void Check(const Context& context, const Reporter& report) {
  const auto* alter = context.statement.As<sql::ast::AlterTable>();
  if (alter == nullptr) return;
  const catalog::Table* table = context.schema.FindTable(alter->name);
  if (table == nullptr || !table->complete || !context.Existing(alter->name)) return;
  ForEachNewConstraint(context, [&](const auto& name, const sql::ast::Constraint& constraint,
                                    const std::vector<std::string>& columns) {
    if (!constraint.foreign_key || columns.empty()) return;
    const bool covered = std::ranges::any_of(
        table->indexes, [&](const catalog::Index& index) { return Covers(index, columns); });
    if (covered) return;
    Say(report,
        fmt::format("no index of {} starts with {}, which references {}", Context::Show(name),
                    fmt::join(columns, ", "), Context::Show(constraint.foreign_key->target)));
  });
}

}  // namespace

constinit const Rule kFkWithoutIndex{
    .id = "fk-without-index",
    .title = "Foreign key without an index",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "Every delete and key update in the referenced table reads the whole referencing table, "
        "once a row.",
    .remedy = "CREATE INDEX CONCURRENTLY on the referencing columns, before the key is added.",
    .check = &Check};

}  // namespace pgalter::lint
