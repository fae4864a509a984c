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

// FORCE counts only where row security is enabled.
void CheckForced(const Context& context, const sql::ast::AlterTable& alter,
                 const Reporter& report) {
  const catalog::Table* table = context.schema.FindTable(alter.name);
  if (table == nullptr || !table->row_security || !InUse(context, alter.name) ||
      HasPolicy(context, alter.name))
    return;
  Remark remark;
  remark.lock = LockOn(context, alter.name);
  if (!table->complete) remark.severity = Severity::kWarning;
  remark.message = fmt::format("without a policy not even its owner sees a row of {}",
                               Context::Show(alter.name));
  report(std::move(remark));
}

// The last policy of a table whose row security stays on.
void CheckDropped(const Context& context, const Reporter& report) {
  const auto* drop = context.statement.As<sql::ast::Drop>();
  if (drop == nullptr || drop->kind != sql::ast::ObjectKind::kPolicy || !drop->on_table) return;
  const catalog::Table* table = context.schema.FindTable(*drop->on_table);
  if (table == nullptr || !table->row_security || !InUse(context, *drop->on_table)) return;
  const bool last = table->policies.size() == 1 && drop->names.size() == 1 &&
                    table->policies.front() == drop->names.front().name;
  const auto replaces = [&](const sql::ast::Statement& statement) {
    const auto* policy = statement.As<sql::ast::Policy>();
    return (policy != nullptr && Same(context, policy->table, *drop->on_table)) ||
           Alters(context, statement, *drop->on_table, [](const auto& command) {
             return command.change == sql::ast::TableChange::kDisableRowSecurity;
           });
  };
  const bool later = std::ranges::any_of(
      context.after, [&](const ScriptStatement& read) { return replaces(read.statement); });
  if (!last || later) return;
  Remark remark;
  remark.lock = LockOn(context, *drop->on_table);
  remark.severity = Severity::kWarning;
  remark.message = fmt::format("without its last policy nobody but its owner sees a row of {}",
                               Context::Show(*drop->on_table));
  remark.remedy = "Make the policy that replaces it first, or disable row security.";
  report(std::move(remark));
}

void Check(const Context& context, const Reporter& report) {
  CheckDropped(context, report);
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
  ForEachCommand(context, sql::ast::TableChange::kForceRowSecurity,
                 [&](const auto& alter, const auto&, int) { CheckForced(context, alter, report); });
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
