#include "migrations/history/release.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "planner/plan/release.h"

namespace pgalter::history {

namespace {

// The planner has those of earlier ones released in between.
const plan::Step* LastKept(const plan::Plan& plan) {
  const plan::Step* kept = nullptr;
  for (const plan::Step& step : plan.steps) {
    if (step.kind == plan::StepKind::kRebuild) kept = &step;
    if (step.kind == plan::StepKind::kRelease && !step.backfill) kept = nullptr;
  }
  return kept;
}

std::string FreeId(const plan::Plan& plan, const plan::Step& step) {
  const auto before = std::ranges::count(plan.steps, step.statement, &plan::Step::statement);
  for (auto n = before + 1;; ++n) {
    std::string id = fmt::format("{}.{}-{}", step.statement + 1, n, plan::Name(step.kind));
    if (std::ranges::find(plan.steps, id, &plan::Step::id) == plan.steps.end()) return id;
  }
}

std::string FreeGate(const plan::Plan& plan, const std::string& wish) {
  std::string name = wish;
  const auto taken = [&](const plan::Step& step) { return step.gate && step.gate->name == name; };
  for (int n = 2; std::ranges::any_of(plan.steps, taken); ++n) name = fmt::format("{}-{}", wish, n);
  return name;
}

}  // namespace

void ReleaseAtEnd(plan::Plan& plan) {
  const plan::Step* kept = LastKept(plan);
  if (kept == nullptr) return;
  const int statement = kept->statement;
  const bool asked = plan.steps.back().gate.has_value();
  for (plan::Step& step : plan::ReleaseTables(plan::RebuiltTables(*kept))) {
    if (step.gate && asked) continue;
    if (step.gate) step.gate->name = FreeGate(plan, step.gate->name);
    step.statement = statement;
    step.id = FreeId(plan, step);
    plan.steps.push_back(std::move(step));
  }
}

}  // namespace pgalter::history
