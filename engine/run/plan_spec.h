// What a run of a plan keeps in its spec and in its steps' specs, as the handlers read it.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/guard/role_settings.h"
#include "engine/lock/ladder_policy.h"
#include "engine/run/step_handler.h"
#include "planner/plan/plan.h"

namespace pgalter::run {

// Of the steps that change or copy rows. What is not said is for the step to choose.
struct Pace {
  std::optional<int> workers;
  std::optional<std::chrono::milliseconds> chunk_time;
  std::map<std::string, std::string> throttle;  // as for `throttle --set`
};

struct PlanSpec {
  guard::Settings settings;    // of the role that made the run: users' SQL means the same later
  lock::LadderOptions ladder;  // budget, hold_budget, policy and idle_for are kept
  std::vector<sql::QualifiedName> relations;  // the plan's
  Pace pace;
};

boost::json::object ToJson(const Pace& pace);
// Under which a run that is none of a plan keeps it, too, where it says so.
inline constexpr const char* kPace = "pace";
boost::json::object ToJson(const PlanSpec& spec);
inline constexpr const char* kRunCommand = "run";
inline bool IsPlan(const state::Run& run) { return run.command == kRunCommand; }

// Of a run that is none of a plan: the defaults.
PlanSpec PlanSpecOf(const state::Run& run);

// How it asks for strong locks; defaults where it does not say.
lock::LadderOptions LadderOf(const state::Run& run);

// The plan's step as it was planned; its kind alone where the step is none of a plan.
plan::Step PlannedStep(const state::Step& step);

// One more session of the run in which users' SQL means what it meant to the role.
Task<guard::Session> OpenAsRole(const Environment& env);

}  // namespace pgalter::run
