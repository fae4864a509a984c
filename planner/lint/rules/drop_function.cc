#include "planner/lint/rules/functions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* drop = context.statement.As<sql::ast::Drop>();
  if (drop == nullptr || drop->kind != sql::ast::ObjectKind::kFunction) return;
  for (const catalog::QualifiedName& name : drop->names) {
    if (AnyLater(context, [&](const auto& later) { return MakesFunction(later, name); })) continue;
    if (!MayBeCalled(context, name)) continue;
    Remark remark;
    remark.message = fmt::format("code that calls {} fails from here on", Context::Show(name));
    report(std::move(remark));
  }
}

}  // namespace

constinit const Rule kDropFunction{
    .id = "drop-function",
    .title = "Function dropped",
    .category = Category::kClient,
    .severity = Severity::kWarning,
    .effect = "Running code that calls it fails.",
    .remedy =
        "CREATE OR REPLACE FUNCTION where its signature stays; else drop it when no code calls it.",
    .check = &Check};

}  // namespace pgalter::lint
