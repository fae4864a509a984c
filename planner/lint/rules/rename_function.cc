#include "planner/lint/rules/functions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* rename = context.statement.As<sql::ast::Rename>();
  if (rename == nullptr || rename->kind != sql::ast::ObjectKind::kFunction) return;
  if (AnyLater(context, [&](const auto& later) { return MakesFunction(later, rename->name); }))
    return;
  if (!MayBeCalled(context, rename->name)) return;
  Remark remark;
  remark.message =
      fmt::format("code that calls {} fails from here on", Context::Show(rename->name));
  report(std::move(remark));
}

}  // namespace

constinit const Rule kRenameFunction{
    .id = "rename-function",
    .title = "Function renamed",
    .category = Category::kClient,
    .severity = Severity::kWarning,
    .effect = "Running code that calls it by its old name fails.",
    .remedy = "Make a second function with the new name; drop the old one when no code calls it.",
    .check = &Check};

}  // namespace pgalter::lint
