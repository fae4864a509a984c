#include "planner/lint/rules/types.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* drop = context.statement.As<sql::ast::Drop>();
  if (drop == nullptr ||
      (drop->kind != sql::ast::ObjectKind::kType && drop->kind != sql::ast::ObjectKind::kDomain))
    return;
  for (const catalog::QualifiedName& name : drop->names) {
    if (IsNewType(context, name)) continue;
    const auto columns = context.schema.ColumnsOfType(name);
    Remark remark;
    if (drop->cascade && !columns.empty()) {
      remark.severity = Severity::kError;
      remark.message =
          fmt::format("column {} of {} is dropped with {}", columns.front().second->name,
                      Context::Show(columns.front().first->name), Context::Show(name));
    } else if (drop->cascade && !context.schema.complete()) {
      remark.severity = Severity::kWarning;
      remark.message =
          fmt::format("every column of type {} is dropped with it", Context::Show(name));
    } else {
      remark.message = fmt::format("code that casts to {} fails from here on", Context::Show(name));
    }
    report(std::move(remark));
  }
}

}  // namespace

constinit const Rule kDropType{
    .id = "drop-type",
    .title = "Type or domain dropped",
    .category = Category::kData,
    .severity = Severity::kNote,
    .effect =
        "With CASCADE every column of the type goes, too, without a word. Without it the server "
        "refuses while a column has the type.",
    .remedy = "Give the columns another type first, and drop without CASCADE.",
    .check = &Check};

}  // namespace pgalter::lint
