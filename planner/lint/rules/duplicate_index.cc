#include <algorithm>

#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

bool SameColumn(const sql::ast::IndexColumn& left, const sql::ast::IndexColumn& right) {
  const auto text = [](const sql::ast::IndexColumn& column) {
    return column.expression ? column.expression->text : std::string();
  };
  return left.column == right.column && text(left) == text(right) &&
         left.collation == right.collation && left.operator_class == right.operator_class &&
         left.descending == right.descending && left.nulls_first == right.nulls_first;
}

bool Covers(const catalog::Index& there, const sql::ast::CreateIndex& added) {
  if (!there.valid || there.method != added.method || there.columns.size() < added.columns.size())
    return false;
  // The beginning of a longer index serves as well only where order is kept.
  const bool same_length = there.columns.size() == added.columns.size();
  if (!same_length && (added.unique || added.method != "btree")) return false;
  if (added.unique && !there.unique) return false;
  const auto text = [](const auto& where) { return where ? where->text : std::string(); };
  return text(there.where) == text(added.where) && added.included.empty() &&
         std::equal(added.columns.begin(), added.columns.end(), there.columns.begin(), SameColumn);
}

void Check(const Context& context, const Reporter& report) {
  const auto* index = context.statement.As<sql::ast::CreateIndex>();
  const catalog::Table* table = index == nullptr ? nullptr : context.schema.FindTable(index->table);
  if (table == nullptr) return;
  for (const catalog::Index& there : table->indexes) {
    if (there.name.name == index->name || !Covers(there, *index)) continue;
    Say(report, fmt::format("{} finds what this index would find", there.name.name));
    return;
  }
}

}  // namespace

constinit const Rule kDuplicateIndex{
    .id = "duplicate-index",
    .title = "Index that another one covers",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "It costs every write and gives no read anything.",
    .remedy = "Leave it out; or drop the other one, CONCURRENTLY, if this is to replace it.",
    .check = &Check};

}  // namespace pgalter::lint
