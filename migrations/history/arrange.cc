#include "migrations/history/arrange.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "planner/plan/steps.h"
#include "planner/sql/requalify.h"
#include "planner/sql/set_clause.h"

namespace pgalter::history {

namespace {

using formats::Section;
using formats::SectionKind;

std::string GateReason(const Section& section) {
  const auto reason = section.Find("reason");
  if (reason) return *reason;
  return section.kind == SectionKind::kGate
             ? fmt::format("the migration asks for it in line {}", section.line)
             : "what stands behind takes away what older programs use";
}

plan::Step GateOf(const Section& section, const std::string& name) {
  const auto soak = formats::ParseSoak(section.Find("soak").value_or("0s"));
  plan::Step step = plan::MakeGate(name, GateReason(section), soak.value_or(0));
  step.id = fmt::format("{}-gate", section.line);
  step.gate->check = section.Find("check").value_or("");
  return step;
}

plan::Backfill::Sync SyncOf(const Section& section) {
  const std::string sync = section.Find("sync").value_or("auto");
  if (sync == "none") return plan::Backfill::Sync::kNone;
  return sync == "keep" ? plan::Backfill::Sync::kKeep : plan::Backfill::Sync::kAuto;
}

plan::Step BackfillOf(const Section& section, std::string& refusal) {
  const auto table = sql::ParseQualifiedName(section.Find("table").value_or(""));
  if (!table) {
    refusal = fmt::format("line {}: table={} is no name of a table: {}", section.line,
                          section.Find("table").value_or(""), table.error().message);
    return {};
  }
  plan::Step step =
      plan::MakeBackfill(*table, section.Find("set").value_or(""),
                         section.Find("where").value_or(""), "Rows are changed in chunks.");
  step.id = fmt::format("{}-backfill", section.line);
  step.backfill->sync = SyncOf(section);
  return step;
}

// Whether a trigger may keep rows in step: batcher/backfill decides, on the live table.
bool MayHaveTrigger(const plan::Backfill& backfill) {
  if (backfill.sync != plan::Backfill::Sync::kAuto)
    return backfill.sync == plan::Backfill::Sync::kKeep;
  const auto assignments = sql::ParseSetClause(backfill.set);
  return assignments && std::ranges::any_of(*assignments, [](const sql::Assignment& one) {
           const auto elsewhere = sql::RequalifyColumns(one.expression, std::nullopt, "new");
           return elsewhere && *elsewhere != one.expression;
         });
}

bool IsAbout(const plan::Step& step, const plan::Backfill& backfill) {
  const auto table = sql::ParseQualifiedName(backfill.table);
  return std::ranges::any_of(step.locks, [&](const plan::StepLock& lock) {
    return lock.relation.name == table->name &&
           (!lock.relation.schema || !table->schema || lock.relation.schema == table->schema);
  });
}

// The trigger writes what old programs mean: from here on it would undo what new ones write, and
// it stands on the columns that the steps behind take away.
plan::Step ReleaseOf(const plan::Step& backfill) {
  plan::Step step;
  step.id = fmt::format("{}-release", backfill.id.substr(0, backfill.id.find('-')));
  step.phase = plan::Phase::kContract;
  step.kind = plan::StepKind::kRelease;
  step.backward_compatible = false;
  step.backfill = backfill.backfill;
  step.locks = {
      {*sql::ParseQualifiedName(backfill.backfill->table), locks::LockMode::kAccessExclusive}};
  step.duration = plan::Duration{};
  step.explain =
      "The trigger that kept rows in step goes: programs write these columns themselves now.";
  return step;
}

class Arranging {
 public:
  Arranging(const std::vector<Section>& sections, plan::Plan& plan)
      : sections_(sections), plan_(plan), steps_(std::move(plan.steps)) {}

  std::string Arrange();

 private:
  [[nodiscard]] std::size_t SectionAt(int line) const;
  void Push(plan::Step step);
  [[nodiscard]] std::string FreeName(const std::string& wish) const;
  void PushGate(const Section& section);
  void PushStatements(std::size_t section);
  void PushBackfill(const Section& section, std::string& refusal);
  [[nodiscard]] bool IsGate(std::size_t section) const;
  [[nodiscard]] bool IsLastGate(std::size_t section) const;
  void ReleaseBehindGate();
  void ReleaseBefore(const plan::Step& step);

  const std::vector<Section>& sections_;
  plan::Plan& plan_;
  std::vector<plan::Step> steps_;
  std::vector<plan::Step> kept_up_;  // backfills whose trigger may still be there
  bool behind_gate_ = false;
};

std::size_t Arranging::SectionAt(int line) const {
  std::size_t at = 0;
  for (std::size_t i = 0; i < sections_.size(); ++i)
    if (sections_[i].line <= line) at = i;
  return at;
}

void Arranging::Push(plan::Step step) {
  if (behind_gate_) {
    step.phase = plan::Phase::kContract;
    step.backward_compatible = false;
  }
  plan_.steps.push_back(std::move(step));
}

// Of a gate: each has its own.
std::string Arranging::FreeName(const std::string& wish) const {
  std::string name = wish;
  const auto taken = [&] {
    return std::ranges::any_of(
        plan_.steps, [&](const plan::Step& step) { return step.gate && step.gate->name == name; });
  };
  for (int n = 2; taken(); ++n) name = fmt::format("{}-{}", wish, n);
  return name;
}

void Arranging::PushGate(const Section& section) {
  const std::string name =
      section.kind == SectionKind::kGate ? section.Find("").value_or("") : "contract";
  plan_.steps.push_back(GateOf(section, FreeName(name)));
  behind_gate_ = true;
}

void Arranging::PushStatements(std::size_t section) {
  for (plan::Step& step : steps_) {
    const int line = plan_.statements.at(static_cast<std::size_t>(step.statement)).line;
    if (SectionAt(line) != section) continue;
    // The author's gate in front of it asks the same.
    const bool again = step.gate && step.gate->soak_s == 0 && !plan_.steps.empty() &&
                       plan_.steps.back().kind == plan::StepKind::kGate;
    if (again) continue;
    ReleaseBefore(step);
    Push(std::move(step));
  }
}

void Arranging::PushBackfill(const Section& section, std::string& refusal) {
  plan::Step step = BackfillOf(section, refusal);
  if (refusal.empty() && MayHaveTrigger(*step.backfill)) kept_up_.push_back(step);
  Push(std::move(step));
}

bool Arranging::IsGate(std::size_t section) const {
  const SectionKind kind = sections_[section].kind;
  const bool own_gate = section > 0 && sections_[section - 1].kind == SectionKind::kGate;
  return kind == SectionKind::kGate || (kind == SectionKind::kContract && !own_gate);
}

bool Arranging::IsLastGate(std::size_t section) const {
  for (std::size_t i = section + 1; i < sections_.size(); ++i)
    if (IsGate(i)) return false;
  return true;
}

// What the author's last gate asks is that programs write the columns. That they have left others
// alone is asked by the recipes' own gates behind it.
void Arranging::ReleaseBehindGate() {
  for (const plan::Step& backfill : kept_up_) plan_.steps.push_back(ReleaseOf(backfill));
  kept_up_.clear();
}

// Where no gate of the author's has asked before, one asks now: in front of the gates that lead to
// the first step with which old programs fail.
void Arranging::ReleaseBefore(const plan::Step& step) {
  const bool breaks =
      step.kind != plan::StepKind::kGate && (!step.backward_compatible || step.point_of_no_return);
  if (!breaks) return;
  const auto about = [&](const plan::Step& backfill) { return IsAbout(step, *backfill.backfill); };
  if (std::ranges::none_of(kept_up_, about)) return;
  auto at = plan_.steps.end();
  const auto shares = [&] {
    return (at == plan_.steps.end() ? step : *at).transaction == plan::Transaction::kShared;
  };
  while (at != plan_.steps.begin() && (shares() || std::prev(at)->kind == plan::StepKind::kGate))
    --at;
  std::vector<plan::Step> release;
  release.push_back(plan::MakeGate(FreeName("new-columns-written"),
                                   "every program writes what the backfill sets by itself"));
  release.back().id = fmt::format("{}.0-gate", step.id.substr(0, step.id.find('.')));
  for (const plan::Step& backfill : kept_up_)
    if (about(backfill)) release.push_back(ReleaseOf(backfill));
  plan_.steps.insert(at, std::make_move_iterator(release.begin()),
                     std::make_move_iterator(release.end()));
  std::erase_if(kept_up_, about);
}

std::string Arranging::Arrange() {
  plan_.steps.clear();
  std::string refusal;
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    const Section& section = sections_[i];
    if (IsGate(i)) {
      PushGate(section);
      if (IsLastGate(i)) ReleaseBehindGate();
    }
    if (section.kind == SectionKind::kBackfill) PushBackfill(section, refusal);
    PushStatements(i);
  }
  return refusal;
}

}  // namespace

std::string ArrangeSections(const std::vector<Section>& sections, plan::Plan& plan) {
  return Arranging(sections, plan).Arrange();
}

}  // namespace pgalter::history
