#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* drop = context.statement.As<sql::ast::Drop>();
  const bool dropped = drop != nullptr && drop->kind == sql::ast::ObjectKind::kDatabase;
  if (!dropped && context.statement.tag != "DROP DATABASE") return;
  Remark remark;
  remark.message = "a whole database is lost";
  report(std::move(remark));
}

}  // namespace

constinit const Rule kDropDatabase{
    .id = "drop-database",
    .title = "Database dropped",
    .category = Category::kData,
    .severity = Severity::kError,
    .effect = "All of it is gone.",
    .remedy = "A migration has no reason to do this; let a person do it, with a backup.",
    .check = &Check};

}  // namespace pgalter::lint
