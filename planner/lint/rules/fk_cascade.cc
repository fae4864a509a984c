#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachNewConstraint(context, [&](const auto& table, const sql::ast::Constraint& constraint,
                                    const std::vector<std::string>&) {
    const auto& key = constraint.foreign_key;
    if (!key) return;
    const bool on_delete = key->on_delete == sql::ast::ReferentialAction::kCascade;
    if (!on_delete && key->on_update != sql::ast::ReferentialAction::kCascade) return;
    Say(report, fmt::format("{} in {} goes on in {}", on_delete ? "a delete" : "a key update",
                            Context::Show(key->target), Context::Show(table)));
  });
}

}  // namespace

constinit const Rule kFkCascade{
    .id = "fk-cascade",
    .title = "Foreign key that cascades",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "One delete or key update reaches any number of rows in other tables, in one transaction.",
    .remedy = "ON DELETE RESTRICT, and deletes that go by parts.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
