#include <set>

#include "planner/lint/rules/bulk.h"

namespace pgalter::lint {

namespace {

void Compare(const catalog::QualifiedName& table,
             const std::vector<sql::ast::ColumnDefinition>& columns, const Reporter& report) {
  std::set<std::string> seen;
  for (const auto& column : columns) {
    if (seen.insert(column.name).second) continue;
    Remark remark;
    remark.message =
        fmt::format("column {} of {} is defined twice", column.name, Context::Show(table));
    report(std::move(remark));
  }
}

void Check(const Context& context, const Reporter& report) {
  ForEachModify(context.statement, [&](const sql::ast::Modify& modify) {
    if (!modify.duplicate_column) return;
    Remark remark;
    remark.message = fmt::format("a column of {} is assigned twice", Context::Show(modify.table));
    report(std::move(remark));
  });
  if (const auto* create = context.statement.As<sql::ast::CreateTable>())
    Compare(create->name, create->columns, report);
  if (const auto* alter = context.statement.As<sql::ast::AlterTable>()) {
    std::vector<sql::ast::ColumnDefinition> added;
    for (const auto& command : alter->commands)
      if (command.column && !command.if_exists) added.push_back(*command.column);
    Compare(alter->name, added, report);
  }
}

}  // namespace

constinit const Rule kDuplicateColumnAssignment{
    .id = "duplicate-column-assignment",
    .title = "Column named twice",
    .category = Category::kFailure,
    .severity = Severity::kError,
    .effect = "The server refuses a column that is assigned or defined twice, with 42601 or 42701.",
    .remedy = "Name each column once.",
    .check = &Check};

}  // namespace pgalter::lint
