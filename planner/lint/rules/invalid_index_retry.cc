#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

bool DroppedBefore(const Context& context, const catalog::QualifiedName& index) {
  for (const ScriptStatement& read : context.before) {
    const auto* drop = read.statement.As<sql::ast::Drop>();
    if (drop == nullptr || drop->kind != sql::ast::ObjectKind::kIndex) continue;
    for (const auto& name : drop->names)
      if (name.name == index.name) return true;
  }
  return false;
}

void Check(const Context& context, const Reporter& report) {
  const auto* create = context.statement.As<sql::ast::CreateIndex>();
  if (create == nullptr || !create->concurrently || !create->if_not_exists) return;
  const catalog::QualifiedName name{create->table.schema, create->name};
  if (DroppedBefore(context, name)) return;
  const catalog::Index* known = context.schema.FindIndex(name);
  Remark remark;
  remark.severity = known != nullptr && !known->valid ? Severity::kWarning : Severity::kNote;
  remark.message = fmt::format(
      "where an attempt to build {} has failed, this keeps its invalid index", create->name);
  report(std::move(remark));
}

}  // namespace

constinit const Rule kInvalidIndexRetry{
    .id = "invalid-index-retry",
    .title = "CREATE INDEX CONCURRENTLY IF NOT EXISTS",
    .category = Category::kFailure,
    .severity = Severity::kWarning,
    .effect =
        "A concurrent build that failed leaves an invalid index behind; with IF NOT EXISTS the "
        "next attempt finds it, does nothing, and reports success.",
    .remedy =
        "DROP INDEX CONCURRENTLY IF EXISTS before it, in a statement of its own; or look at "
        "pg_index.indisvalid after it.",
    .check = &Check};

}  // namespace pgalter::lint
