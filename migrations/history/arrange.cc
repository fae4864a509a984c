#include "migrations/history/arrange.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "planner/plan/steps.h"

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

class Arranging {
 public:
  Arranging(const std::vector<Section>& sections, plan::Plan& plan)
      : sections_(sections), plan_(plan), steps_(std::move(plan.steps)) {}

  std::string Arrange();

 private:
  [[nodiscard]] std::size_t SectionAt(int line) const;
  void Push(plan::Step step);
  void PushGate(const Section& section);
  void PushStatements(std::size_t section);

  const std::vector<Section>& sections_;
  plan::Plan& plan_;
  std::vector<plan::Step> steps_;
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

void Arranging::PushGate(const Section& section) {
  std::string name =
      section.kind == SectionKind::kGate ? section.Find("").value_or("") : "contract";
  const auto taken = [&] {
    return std::ranges::any_of(
        plan_.steps, [&](const plan::Step& step) { return step.gate && step.gate->name == name; });
  };
  for (int n = 2; taken(); ++n)
    name = fmt::format("{}-{}", section.Find("").value_or("contract"), n);
  plan_.steps.push_back(GateOf(section, name));
  behind_gate_ = true;
}

void Arranging::PushStatements(std::size_t section) {
  for (plan::Step& step : steps_) {
    const int line = plan_.statements.at(static_cast<std::size_t>(step.statement)).line;
    if (SectionAt(line) != section) continue;
    // The author's gate in front of it asks the same.
    const bool again = step.gate && step.gate->soak_s == 0 && !plan_.steps.empty() &&
                       plan_.steps.back().kind == plan::StepKind::kGate;
    if (!again) Push(std::move(step));
  }
}

std::string Arranging::Arrange() {
  plan_.steps.clear();
  std::string refusal;
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    const Section& section = sections_[i];
    const bool own_gate = i > 0 && sections_[i - 1].kind == SectionKind::kGate;
    if (section.kind == SectionKind::kGate || (section.kind == SectionKind::kContract && !own_gate))
      PushGate(section);
    if (section.kind == SectionKind::kBackfill) Push(BackfillOf(section, refusal));
    PushStatements(i);
  }
  return refusal;
}

}  // namespace

std::string ArrangeSections(const std::vector<Section>& sections, plan::Plan& plan) {
  return Arranging(sections, plan).Arrange();
}

}  // namespace pgalter::history
