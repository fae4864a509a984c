#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachNewConstraint(context, [&](const auto& table, const sql::ast::Constraint& constraint,
                                    const std::vector<std::string>&) {
    if (constraint.not_enforced)
      Say(report, fmt::format("{} takes rows that break this constraint", Context::Show(table)));
  });
}

}  // namespace

constinit const Rule kNotEnforced{
    .id = "not-enforced",
    .title = "Constraint that is not enforced",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "Rows that break it are taken; the planner does not rely on it either.",
    .remedy =
        "NOT VALID where only the rows there are may break it; ALTER CONSTRAINT … ENFORCED later.",
    .check = &Check};

}  // namespace pgalter::lint
