#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* rule = context.statement.As<sql::ast::CreateRule>();
  if (rule == nullptr) return;
  Say(report, fmt::format("the rule {} rewrites what is done to {}", rule->name,
                          Context::Show(rule->table)));
}

}  // namespace

constinit const Rule kCreateRule{
    .id = "create-rule",
    .title = "Rewrite rule",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "Rules rewrite statements, not rows: volatile expressions run twice, and RETURNING and "
        "counts surprise.",
    .remedy = "A trigger; INSTEAD OF triggers for views.",
    .check = &Check};

}  // namespace pgalter::lint
