#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* drop = context.statement.As<sql::ast::Drop>();
  if (drop == nullptr || drop->kind != sql::ast::ObjectKind::kView) return;
  for (const catalog::QualifiedName& name : drop->names) {
    if (!InUse(context, name)) continue;
    if (AnyLater(context, [&](const auto& later) { return Makes(context, later, name); })) continue;
    Remark remark;
    remark.lock = LockOn(context, name);
    remark.message = fmt::format("code that reads {} fails from here on", Context::Show(name));
    report(std::move(remark));
  }
}

}  // namespace

constinit const Rule kDropView{
    .id = "drop-view",
    .title = "View dropped",
    .category = Category::kClient,
    .severity = Severity::kWarning,
    .effect = "Running code that reads the view fails.",
    .remedy =
        "CREATE OR REPLACE VIEW where its columns stay; else drop it and make it again in one "
        "transaction, or drop it when no code reads it.",
    .check = &Check};

}  // namespace pgalter::lint
