#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* table = context.statement.As<sql::ast::CreateTable>();
  if (table == nullptr || table->foreign || table->partition_of || !table->of_type.empty() ||
      table->like_indexes || table->persistence == sql::ast::Persistence::kTemporary)
    return;
  bool found = false;
  ForEachNewConstraint(context, [&](const auto&, const sql::ast::Constraint& constraint,
                                    const std::vector<std::string>&) {
    found |= constraint.kind == sql::ast::ConstraintKind::kPrimaryKey;
  });
  if (!found) Say(report, fmt::format("{} has no primary key", Context::Show(table->name)));
}

}  // namespace

constinit const Rule kMissingPrimaryKey{
    .id = "missing-primary-key",
    .title = "Table without a primary key",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "Logical replication refuses updates and deletes of it, and no backfill can go by its "
        "key.",
    .remedy = "A primary key; bigint GENERATED ALWAYS AS IDENTITY where there is no natural one.",
    .check = &Check};

}  // namespace pgalter::lint
