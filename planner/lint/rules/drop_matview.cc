#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

// It was moved out of the way in this transaction: another has its name.
bool RenamedTo(const Context& context, const sql::ast::Statement& statement,
               const catalog::QualifiedName& name) {
  const auto* rename = statement.As<sql::ast::Rename>();
  return rename != nullptr && Makes(context, statement, name);
}

void Check(const Context& context, const Reporter& report) {
  const auto* drop = context.statement.As<sql::ast::Drop>();
  if (drop == nullptr || drop->kind != sql::ast::ObjectKind::kMaterializedView) return;
  for (const catalog::QualifiedName& name : drop->names) {
    if (!InUse(context, name)) continue;
    if (AnyEarlier(context, [&](const auto& before) { return RenamedTo(context, before, name); }))
      continue;
    Remark remark;
    remark.lock = LockOn(context, name);
    remark.message = fmt::format("code that reads {} fails from here on", Context::Show(name));
    report(std::move(remark));
  }
}

}  // namespace

constinit const Rule kDropMatview{
    .id = "drop-matview",
    .title = "Materialized view dropped",
    .category = Category::kClient,
    .severity = Severity::kWarning,
    .effect = "Running code that reads it fails, and making it again runs its query once more.",
    .remedy =
        "Make the new one under another name, fill it, and swap the names in one transaction; drop "
        "the old one when no code reads it.",
    .check = &Check};

}  // namespace pgalter::lint
