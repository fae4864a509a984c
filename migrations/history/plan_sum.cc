#include "migrations/history/plan_sum.h"

#include "migrations/history/sha256.h"

namespace pgalter::history {

namespace {

// With its length in front, so that no two plans are the same bytes.
void Add(std::string& bytes, const std::string& field) {
  bytes += std::to_string(field.size()) + ":" + field;
}

void Add(std::string& bytes, const std::vector<std::string>& fields) {
  bytes += std::to_string(fields.size()) + "[";
  for (const std::string& field : fields) Add(bytes, field);
}

void Add(std::string& bytes, const plan::Step& step) {
  Add(bytes, std::to_string(static_cast<int>(step.phase)));
  Add(bytes, std::to_string(static_cast<int>(step.kind)));
  Add(bytes, std::to_string(static_cast<int>(step.transaction)));
  Add(bytes, step.sql);
  if (step.backfill) {
    Add(bytes, step.backfill->table);
    Add(bytes, step.backfill->set);
    Add(bytes, step.backfill->where);
    Add(bytes, std::to_string(static_cast<int>(step.backfill->sync)));
  }
  if (step.rebuild) {
    Add(bytes, step.rebuild->table);
    Add(bytes, step.rebuild->alter);
    Add(bytes, step.rebuild->maps);
  }
  if (step.gate) {
    Add(bytes, step.gate->name);
    Add(bytes, std::to_string(step.gate->soak_s));
    Add(bytes, step.gate->check);
  }
}

}  // namespace

std::string PlanSum(const plan::Plan& plan) {
  std::string bytes = "pgalter plan 1";
  for (const plan::Step& step : plan.steps) Add(bytes, step);
  return Sha256(bytes);
}

}  // namespace pgalter::history
