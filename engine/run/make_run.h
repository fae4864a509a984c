// From a plan to a run of it. Everything that can be refused is refused here, with nothing written.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/run/plan_spec.h"
#include "planner/catalog/schema.h"
#include "planner/plan/plan.h"

namespace pgalter::run {

struct PlannedRun {
  plan::Plan plan;
  PlanSpec spec;
  state::Phase through = state::Phase::kMigrate;
  std::string table{};  // that people asked for, qualified; empty: the first one of the plan
  // For the audit log: the command that they gave, empty: that of a plan; and its partitions.
  std::string asked{};
  std::vector<std::string> partitions{};
};

// Throws Failure: a statement that the server would refuse, a step that no run can do yet, a schema
// that is not the one the plan was made for, a right that is missing, a legal hold of what a
// statement would let go, or what the plan's first step would refuse as soon as it is run.
Task<> RefuseUnfit(guard::Session& session, const plan::Plan& plan, const catalog::Schema& schema);

// Inserts the run with its steps; returns its id. `also` is done in the same transaction. Throws
// state::TableTaken.
Task<std::string> CreateRun(guard::Session& session, const PlannedRun& planned,
                            std::function<Task<>(std::string run)> also = {});

// The steps as they are run: those that share a transaction are one. Pure.
std::vector<state::Step> StepsOf(const plan::Plan& plan);

}  // namespace pgalter::run
