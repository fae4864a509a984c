#include <algorithm>

#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

bool IsKey(sql::ast::ConstraintKind kind) {
  return kind == sql::ast::ConstraintKind::kPrimaryKey || kind == sql::ast::ConstraintKind::kUnique;
}

// Empty: every column is there.
std::string Missing(const sql::ast::PartitionBy& by, const std::vector<std::string>& columns) {
  for (const std::string& column : by.columns) {
    if (column.empty()) return "an expression";
    if (std::ranges::find(columns, column) == columns.end()) return column;
  }
  return {};
}

void CheckKey(const Reporter& report, const catalog::QualifiedName& table,
              const sql::ast::PartitionBy& by, const std::vector<std::string>& columns) {
  const std::string missing = Missing(by, columns);
  if (!missing.empty())
    Say(report, fmt::format("{} is divided by {}, which is not in this key", Context::Show(table),
                            missing));
}

void Check(const Context& context, const Reporter& report) {
  const auto by = [&](const catalog::QualifiedName& name) -> const sql::ast::PartitionBy* {
    const auto* created = context.statement.As<sql::ast::CreateTable>();
    if (created != nullptr) return created->partition_by ? &*created->partition_by : nullptr;
    const catalog::Table* table = context.schema.FindTable(name);
    return table != nullptr && table->partition_by ? &*table->partition_by : nullptr;
  };
  ForEachNewConstraint(context, [&](const auto& table, const sql::ast::Constraint& constraint,
                                    const std::vector<std::string>& columns) {
    if (!IsKey(constraint.kind) || !constraint.using_index.empty()) return;
    if (const auto* partitioned = by(table)) CheckKey(report, table, *partitioned, columns);
  });
  const auto* index = context.statement.As<sql::ast::CreateIndex>();
  if (index == nullptr || !index->unique) return;
  std::vector<std::string> columns;
  for (const auto& column : index->columns) columns.push_back(column.column);
  if (const auto* partitioned = by(index->table))
    CheckKey(report, index->table, *partitioned, columns);
}

}  // namespace

constinit const Rule kPartitionKeyInKey{
    .id = "partition-key-in-key",
    .title = "Key of a partitioned table without its partition key",
    .category = Category::kFailure,
    .severity = Severity::kError,
    .effect =
        "The statement fails: a key of a partitioned table holds in each partition, and has to "
        "name what rows are divided by.",
    .remedy = "Add the partition key's columns to the key; or a key in each partition.",
    .check = &Check};

}  // namespace pgalter::lint
