#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* index = context.statement.As<sql::ast::CreateIndex>();
  if (index != nullptr && index->name.empty())
    Say(report, fmt::format("this index on {} has no name", Context::Show(index->table)));
}

}  // namespace

constinit const Rule kUnnamedIndex{
    .id = "unnamed-index",
    .title = "Index without a name",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "The server makes a name up; run twice, there are two indexes.",
    .remedy = "Name it.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
