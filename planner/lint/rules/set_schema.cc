#include "planner/lint/rules/types.h"

#include "planner/lint/rules/functions.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  using sql::ast::ObjectKind;
  const auto* move = context.statement.As<sql::ast::SetSchema>();
  if (move == nullptr) return;
  Remark remark;
  switch (move->kind) {
    case ObjectKind::kTable:
    case ObjectKind::kForeignTable:
    case ObjectKind::kView:
    case ObjectKind::kMaterializedView:
    case ObjectKind::kSequence:
      if (!InUse(context, move->name)) return;
      if (AnyLater(context, [&](const auto& later) { return Makes(context, later, move->name); }))
        return;
      remark.lock = LockOn(context, move->name);
      break;
    case ObjectKind::kType:
    case ObjectKind::kDomain:
      if (IsNewType(context, move->name)) return;
      remark.severity = Severity::kWarning;
      break;
    case ObjectKind::kFunction:
      if (!MayBeCalled(context, move->name)) return;
      remark.severity = Severity::kWarning;
      break;
    case ObjectKind::kExtension:
      remark.severity = Severity::kWarning;
      break;
    default:
      return;
  }
  remark.message = fmt::format("code that looks for {} in its old schema fails from here on",
                               Context::Show(move->name));
  report(std::move(remark));
}

}  // namespace

constinit const Rule kSetSchema{
    .id = "set-schema",
    .title = "Moved to another schema",
    .category = Category::kClient,
    .severity = Severity::kError,
    .effect = "ACCESS EXCLUSIVE for a moment; running code that finds it by its old place fails.",
    .remedy =
        "Move it and leave a view in its old place, in one transaction; or have both schemas in "
        "the search_path of all code first.",
    .check = &Check};

}  // namespace pgalter::lint
