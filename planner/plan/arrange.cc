#include "planner/plan/arrange.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "planner/plan/release.h"

namespace pgalter::plan {

namespace {

// Statements that touch nothing in common, so that their phases can go together.
class Round {
 public:
  [[nodiscard]] bool Admits(const StatementSteps& next) const {
    if (steps_.empty()) return true;
    if (next.anything || anything_) return false;
    return std::ranges::none_of(next.relations, [&](const sql::QualifiedName& relation) {
      return relations_.contains(sql::ToString(relation));
    });
  }
  void Add(StatementSteps& next) {
    for (const auto& relation : next.relations) relations_.insert(sql::ToString(relation));
    anything_ = anything_ || next.anything;
    // Within a statement the order is its recipe's: a phase once begun is not left for an earlier.
    Phase phase = Phase::kExpand;
    for (Step& step : next.steps) {
      phase = step.phase = std::max(step.phase, phase);
      steps_.push_back(std::move(step));
    }
  }
  void Flush(std::vector<Step>& to) {
    std::ranges::stable_sort(steps_, {}, &Step::phase);
    std::ranges::move(steps_, std::back_inserter(to));
    *this = Round();
  }

 private:
  std::vector<Step> steps_;
  std::set<std::string> relations_;
  bool anything_ = false;
};

// A way back that leads through the old table: triggers on the new one keep it up. A later change
// of the table could break them, so they go before it, and the old table with them.
void ReleaseBetween(const std::vector<StatementSteps>& statements, std::vector<Step>& steps) {
  std::vector<Step> result;
  std::vector<sql::QualifiedName> kept;
  for (Step& step : steps) {
    const StatementSteps& statement = statements.at(static_cast<std::size_t>(step.statement));
    const bool touches = std::ranges::any_of(kept, [&](const sql::QualifiedName& table) {
      return std::ranges::find(statement.relations, table) != statement.relations.end();
    });
    const bool opaque = statement.anything && step.point_of_no_return;
    const bool may = !kept.empty() && step.transaction != Transaction::kShared;
    if (may && (touches || opaque || step.kind == StepKind::kRebuild)) {
      for (Step& next : ReleaseTables(kept)) {
        next.statement = step.statement;
        result.push_back(std::move(next));
      }
      kept.clear();
    }
    if (step.kind == StepKind::kRebuild) kept = RebuiltTables(step);
    result.push_back(std::move(step));
  }
  steps = std::move(result);
}

void NameThem(std::vector<Step>& steps) {
  std::map<int, int> counts;
  std::map<std::string, int> gates;
  for (Step& step : steps) {
    step.id =
        fmt::format("{}.{}-{}", step.statement + 1, ++counts[step.statement], Name(step.kind));
    if (!step.gate) continue;
    const int same = ++gates[step.gate->name];
    if (same > 1) step.gate->name += fmt::format("-{}", same);
  }
}

}  // namespace

std::vector<Step> Arrange(std::vector<StatementSteps> statements) {
  std::vector<Step> steps;
  Round round;
  for (StatementSteps& next : statements) {
    if (!round.Admits(next)) round.Flush(steps);
    round.Add(next);
  }
  round.Flush(steps);
  ReleaseBetween(statements, steps);
  NameThem(steps);
  return steps;
}

}  // namespace pgalter::plan
