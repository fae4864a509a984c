#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachNewConstraint(context, [&](const auto& table, const sql::ast::Constraint& constraint,
                                    const std::vector<std::string>&) {
    const auto& key = constraint.foreign_key;
    if (key && key->on_delete == sql::ast::ReferentialAction::kNoAction)
      Say(report, fmt::format("the foreign key of {} does not say what a delete in {} does",
                              Context::Show(table), Context::Show(key->target)));
  });
}

}  // namespace

constinit const Rule kFkWithoutOnDelete{
    .id = "fk-without-on-delete",
    .title = "Foreign key that does not say ON DELETE",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "A delete of a referenced row fails; whether that is meant is not to be seen.",
    .remedy = "ON DELETE RESTRICT where it is meant, else CASCADE or SET NULL.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
