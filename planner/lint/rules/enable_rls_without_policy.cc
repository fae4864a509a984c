#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

bool HasPolicy(const Context& context, const catalog::QualifiedName& name) {
  const catalog::Table* table = context.schema.FindTable(name);
  if (table != nullptr && !table->policies.empty()) return true;
  return AnyLater(context, [&](const sql::ast::Statement& statement) {
    const auto* policy = statement.As<sql::ast::Policy>();
    return policy != nullptr && Same(context, policy->table, name);
  });
}

void Check(const Context& context, const Reporter& report) {
  const auto judge = [&](const sql::ast::AlterTable& alter, const sql::ast::TableCommand&, int) {
    if (!InUse(context, alter.name) || HasPolicy(context, alter.name)) return;
    const catalog::Table* table = context.schema.FindTable(alter.name);
    Remark remark;
    remark.lock = LockOn(context, alter.name);
    if (table == nullptr || !table->complete) remark.severity = Severity::kWarning;
    remark.message = fmt::format("without a policy nobody but its owner sees a row of {}",
                                 Context::Show(alter.name));
    report(std::move(remark));
  };
  ForEachCommand(context, sql::ast::TableChange::kEnableRowSecurity, judge);
}

}  // namespace

constinit const Rule kEnableRlsWithoutPolicy{
    .id = "enable-rls-without-policy",
    .title = "Row security without a policy",
    .category = Category::kClient,
    .severity = Severity::kError,
    .effect = "Everybody but the owner sees no row at all and can write none.",
    .remedy = "CREATE POLICY first, in the same transaction as ENABLE ROW LEVEL SECURITY.",
    .check = &Check};

}  // namespace pgalter::lint
