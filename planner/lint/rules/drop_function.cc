#include "planner/lint/rules/functions.h"

namespace pgalter::lint {

namespace {

struct Fires {
  std::string trigger;
  catalog::QualifiedName table;
};

// A trigger of a table in use that runs it.
std::optional<Fires> FiredBy(const Context& context, const catalog::QualifiedName& function) {
  for (const auto& [key, table] : context.schema.tables()) {
    if (!context.Existing(table.name)) continue;
    for (const catalog::Trigger& trigger : table.triggers) {
      if (trigger.function.name == function.name) return Fires{trigger.name, table.name};
    }
  }
  return std::nullopt;
}

void Check(const Context& context, const Reporter& report) {
  const auto* drop = context.statement.As<sql::ast::Drop>();
  if (drop == nullptr || drop->kind != sql::ast::ObjectKind::kFunction) return;
  for (const catalog::QualifiedName& name : drop->names) {
    if (const auto fires = drop->cascade ? FiredBy(context, name) : std::nullopt) {
      Remark remark;
      remark.message = fmt::format("trigger {} of {} is dropped with {}", fires->trigger,
                                   Context::Show(fires->table), Context::Show(name));
      report(std::move(remark));
      continue;
    }
    if (AnyLater(context, [&](const auto& later) { return MakesFunction(later, name); })) continue;
    if (!MayBeCalled(context, name)) continue;
    Remark remark;
    remark.message = fmt::format("code that calls {} fails from here on", Context::Show(name));
    report(std::move(remark));
  }
}

}  // namespace

constinit const Rule kDropFunction{
    .id = "drop-function",
    .title = "Function dropped",
    .category = Category::kClient,
    .severity = Severity::kWarning,
    .effect = "Running code that calls it fails.",
    .remedy =
        "CREATE OR REPLACE FUNCTION where its signature stays; else drop it when no code calls it.",
    .check = &Check};

}  // namespace pgalter::lint
