#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* type = context.statement.As<sql::ast::CreateType>();
  if (type == nullptr || type->shape != sql::ast::CreateType::Shape::kEnum) return;
  Say(report, fmt::format("{} is an enum", Context::Show(type->name)));
}

}  // namespace

constinit const Rule kCreateEnum{
    .id = "create-enum",
    .title = "Enum type",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "Values of an enum are never dropped, and adding one is a statement of its own before it "
        "may be used.",
    .remedy = "A table of values with a foreign key, or text with a CHECK.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
