#include <algorithm>

#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

bool SwitchesOff(const std::map<std::string, std::string>& options) {
  return std::ranges::any_of(options, [](const auto& option) {
    const auto& [name, value] = option;
    return name.ends_with("autovacuum_enabled") &&
           (value == "false" || value == "off" || value == "0" || value == "no");
  });
}

void Check(const Context& context, const Reporter& report) {
  const auto say = [&](const catalog::QualifiedName& table) {
    Say(report, fmt::format("autovacuum is switched off for {}", Context::Show(table)));
  };
  const auto* table = context.statement.As<sql::ast::CreateTable>();
  if (table != nullptr && SwitchesOff(table->options)) say(table->name);
  ForEachCommand(context, sql::ast::TableChange::kSetOptions,
                 [&](const auto& alter, const auto& command, int) {
                   if (SwitchesOff(command.options)) say(alter.name);
                 });
}

}  // namespace

constinit const Rule kAutovacuumDisabled{
    .id = "autovacuum-disabled",
    .title = "Autovacuum switched off",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "Dead rows stay, statistics grow old, and the vacuum against wraparound comes all the "
        "same, at a bad time.",
    .remedy = "Lower autovacuum_vacuum_scale_factor for a busy table instead.",
    .check = &Check};

}  // namespace pgalter::lint
