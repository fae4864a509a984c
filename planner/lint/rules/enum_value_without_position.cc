#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* alter = context.statement.As<sql::ast::AlterEnum>();
  if (alter == nullptr || !alter->old_value.empty() || !alter->neighbour.empty()) return;
  Say(report, fmt::format("'{}' is put behind all other values of {}", alter->new_value,
                          Context::Show(alter->name)));
}

}  // namespace

constinit const Rule kEnumValueWithoutPosition{
    .id = "enum-value-without-position",
    .title = "Enum value without a place",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "The value sorts after all others; its place cannot be changed later.",
    .remedy = "ADD VALUE … BEFORE or AFTER another one.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
