#include <algorithm>

#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

bool AddsIdentity(const sql::ast::Statement& statement) {
  const auto* alter = statement.As<sql::ast::AlterTable>();
  return alter != nullptr &&
         std::ranges::any_of(alter->commands, [](const sql::ast::TableCommand& command) {
           return command.change == sql::ast::TableChange::kAddIdentity;
         });
}

void Check(const Context& context, const Reporter& report) {
  const auto* drop = context.statement.As<sql::ast::Drop>();
  if (drop == nullptr || drop->kind != sql::ast::ObjectKind::kSequence) return;
  for (const catalog::QualifiedName& name : drop->names) {
    if (!InUse(context, name)) continue;
    if (AnyLater(context, AddsIdentity)) continue;  // the column counts on by another one
    Remark remark;
    remark.lock = LockOn(context, name);
    remark.message = fmt::format("the counter {} is lost", Context::Show(name));
    report(std::move(remark));
  }
}

}  // namespace

constinit const Rule kDropSequence{
    .id = "drop-sequence",
    .title = "Sequence dropped",
    .category = Category::kData,
    .severity = Severity::kWarning,
    .effect =
        "The counter is lost: one that is made again may give numbers that are taken. Code that "
        "calls nextval() fails.",
    .remedy =
        "Release code that does not use it first. To turn a serial column into an identity column, "
        "do both in one transaction.",
    .check = &Check};

}  // namespace pgalter::lint
