#include <algorithm>

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

// current_setting('app.tenant') without its second argument is an error where nobody has set it.
std::string SettingNeeded(const sql::ast::Policy& policy) {
  const bool needs = std::ranges::any_of(policy.functions, [](const sql::FunctionUse& use) {
    return !use.name.empty() && use.name.back() == "current_setting" && use.arguments == 1;
  });
  return needs && !policy.literals.empty() ? policy.literals.front() : "";
}

void CheckSettings(const Context& context, const catalog::QualifiedName& table,
                   const Reporter& report) {
  std::string setting;
  const auto needs = [&](const sql::ast::Statement& statement) {
    const auto* policy = statement.As<sql::ast::Policy>();
    if (policy == nullptr || !Same(context, policy->table, table)) return false;
    setting = SettingNeeded(*policy);
    return !setting.empty();
  };
  if (!AnyEarlier(context, needs) && !AnyLater(context, needs)) return;
  Remark remark;
  remark.severity = Severity::kWarning;
  remark.lock = LockOn(context, table);
  remark.message = fmt::format("a session that has not set {} cannot read {} from here on", setting,
                               Context::Show(table));
  remark.remedy =
      "Release code that sets it first; current_setting(name, true) gives NULL instead of an "
      "error.";
  report(std::move(remark));
}

void Check(const Context& context, const Reporter& report) {
  const auto judge = [&](const sql::ast::AlterTable& alter, const sql::ast::TableCommand&, int) {
    if (!InUse(context, alter.name)) return;
    if (HasPolicy(context, alter.name)) return CheckSettings(context, alter.name, report);
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
