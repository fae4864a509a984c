#include "planner/plan/firing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "planner/plan/steps.h"
#include "planner/sql/expression.h"
#include "planner/sql/set_clause.h"

namespace pgalter::plan {

namespace {

using catalog::Trigger;

std::vector<sql::Assignment> AssignmentsOf(const Backfill& backfill) {
  auto set = sql::ParseSetClause(backfill.set);
  return set ? *std::move(set) : std::vector<sql::Assignment>();
}

const catalog::Table* TableOf(const catalog::Schema& schema, const Backfill& backfill) {
  const auto name = sql::ParseQualifiedName(backfill.table);
  return name ? schema.FindTable(*name) : nullptr;
}

bool FiresFor(const Trigger& trigger, const std::vector<sql::Assignment>& set) {
  if (trigger.name.find("pgalter_") != std::string::npos) return false;
  return trigger.columns.empty() || std::ranges::any_of(set, [&](const sql::Assignment& one) {
           return std::ranges::find(trigger.columns, one.column) != trigger.columns.end();
         });
}

void AddOnce(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

void AddFiring(const catalog::Table& table, const std::vector<sql::Assignment>& set,
               const Firing& firing, FiringTriggers& found) {
  for (const Trigger& trigger : table.triggers) {
    if (!FiresFor(trigger, set)) continue;
    const auto known = firing.states.find({sql::ToString(table.name), trigger.name});
    const TriggerState state = known == firing.states.end() ? TriggerState() : known->second;
    const std::string name = sql::QuoteIdentifier(trigger.name);
    if (state.usually) AddOnce(found.usually, name);
    if (state.replicating) AddOnce(found.replicating, name);
  }
}

// A function of users that is not declared to leave the database alone. What it wrote elsewhere
// would be written under the same setting: past triggers and foreign keys there.
std::string FunctionThatMayWrite(const catalog::Schema& schema, const Backfill& backfill) {
  for (const sql::Assignment& one : AssignmentsOf(backfill)) {
    const auto facts = sql::ParseExpression(one.expression);
    if (!facts) continue;
    for (const sql::FunctionUse& use : facts->functions) {
      const catalog::Function* function = schema.FindFunction(use.name, use.arguments);
      if (function != nullptr && function->volatility == sql::ast::Volatility::kVolatile &&
          function->language != "c" && function->language != "internal")
        return Show(function->name);
    }
  }
  return "";
}

std::string WhyNotSilent(const Situation& situation, const Backfill& backfill,
                         const FiringTriggers& found) {
  constexpr int kGrantsSettings = 15;
  if (!*situation.firing->may_silence)
    return situation.version >= kGrantsSettings
               ? "the role may not set session_replication_role, under which they stay silent (a "
                 "superuser can let it: GRANT SET ON PARAMETER session_replication_role TO it)"
               : "before PostgreSQL 15 superusers alone may set session_replication_role, under "
                 "which they stay silent";
  if (!found.replicating.empty())
    return fmt::format(
        "{} fires under session_replication_role = replica, too (ENABLE ALWAYS or REPLICA)",
        fmt::join(found.replicating, ", "));
  if (const auto function = FunctionThatMayWrite(situation.schema, backfill); !function.empty())
    return fmt::format(
        "under session_replication_role = replica what {} may write to other tables would pass by "
        "their triggers and foreign keys, too",
        function);
  return "";
}

}  // namespace

FiringTriggers FindFiring(const catalog::Schema& schema, const Backfill& backfill,
                          const Firing& firing) {
  FiringTriggers found;
  const std::vector<sql::Assignment> set = AssignmentsOf(backfill);
  std::vector<const catalog::Table*> next;
  if (const catalog::Table* table = TableOf(schema, backfill)) next.push_back(table);
  while (!next.empty()) {
    const catalog::Table* one = next.back();
    next.pop_back();
    AddFiring(*one, set, firing, found);
    for (const catalog::Table* child : schema.Children(one->name)) next.push_back(child);
  }
  return found;
}

std::string WhyFiring(const Situation& situation, const Backfill& backfill) {
  const bool asked = situation.firing != nullptr && situation.firing->may_silence;
  if (backfill.triggers != Backfill::Triggers::kNone || !asked) return "";
  const FiringTriggers found = FindFiring(situation.schema, backfill, *situation.firing);
  if (found.usually.empty()) return "";
  const std::string why = WhyNotSilent(situation, backfill, found);
  if (why.empty()) return "";
  return fmt::format("every row that is filled would fire trigger{} {}, and {}",
                     found.usually.size() == 1 ? "" : "s", fmt::join(found.usually, ", "), why);
}

bool MayFire(const Situation& situation) {
  return situation.firing != nullptr && situation.firing->accepted;
}

void SettleTriggers(const Situation& situation, Proposal& proposal) {
  for (Step& step : proposal.steps) {
    if (!step.backfill || step.backfill->triggers != Backfill::Triggers::kNone) continue;
    const std::string why = WhyFiring(situation, *step.backfill);
    if (MayFire(situation)) {
      if (!why.empty() || !situation.firing->may_silence)
        step.backfill->triggers = Backfill::Triggers::kAccepted;
      continue;
    }
    if (why.empty()) continue;
    std::string refusal = fmt::format(
        "the rows of {} would be filled by UPDATEs where the statement fires no trigger: {}. What "
        "they change or write (a time, a version, a queue) would stay, also after a revert. If "
        "they may fire, say so: --fire-triggers",
        step.backfill->table, why);
    proposal = {};
    proposal.answer = Answer::kRefused;
    proposal.remarks.push_back(std::move(refusal));
    return;
  }
}

std::string AboutTriggers(const catalog::Schema& schema, const Backfill& backfill,
                          const Firing& firing) {
  const FiringTriggers found = FindFiring(schema, backfill, firing);
  const catalog::Table* table = TableOf(schema, backfill);
  if (found.usually.empty() || table == nullptr) return "";
  const std::string names = fmt::format("{}", fmt::join(found.usually, ", "));
  if (backfill.triggers == Backfill::Triggers::kNone && firing.may_silence)
    return fmt::format(
        "of {} these triggers do not fire for the rows that are filled, since chunks run under "
        "session_replication_role = replica: {}",
        Show(table->name), names);
  if (backfill.triggers == Backfill::Triggers::kFire)
    return fmt::format(
        "of {} a row that somebody changed past the column's own trigger fires these, when the "
        "comparison behind the gate gives it its value, for foreign keys have to see that: {}",
        Show(table->name), names);
  return fmt::format(
      "every row that is filled fires the triggers for UPDATE among these of {}: {}. What they "
      "change or write (a time, a version, a queue) stays, also after a revert",
      Show(table->name), names);
}

}  // namespace pgalter::plan
