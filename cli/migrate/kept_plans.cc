#include "cli/migrate/kept_plans.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <stdexcept>
#include <utility>

#include "cli/rejected.h"
#include "migrations/formats/folder.h"
#include "planner/plan/json.h"

namespace pgalter::cli {

namespace {

namespace json = boost::json;
using history::Applied;
using history::Migration;

constexpr const char* kHowToKeep = "pgalter up --dry-run --output json > plan.json makes one";

[[noreturn]] void RefuseFile(const std::string& path, std::string_view why) {
  throw Rejected(ExitCode::kUsage, fmt::format("--plan {}: {}", path, why), kHowToKeep);
}

std::string TextOf(const std::string& path) {
  try {
    return formats::ReadWhole(path);
  } catch (const std::runtime_error& error) {
    RefuseFile(path, error.what());
  }
}

std::string Member(const json::value& object, const char* key) {
  const auto* found = object.is_object() ? object.get_object().if_contains(key) : nullptr;
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

KeptPlan ReadOne(const json::value& one, const std::string& path) {
  KeptPlan kept{Member(one, "version"), Member(one, "file"), {}};
  const auto* plan = one.is_object() ? one.get_object().if_contains("plan") : nullptr;
  if (kept.version.empty() || plan == nullptr) RefuseFile(path, "it holds no plans of migrations");
  auto read = plan::FromJson(*plan);
  if (!read)
    RefuseFile(path, fmt::format("the plan of {}: {}", kept.version, read.error().message));
  kept.plan = *std::move(read);
  return kept;
}

[[noreturn]] void Refuse(const std::string& what) {
  throw Rejected(ExitCode::kRefused, what + ". Nothing was begun",
                 "look at it anew, and keep that: pgalter up --dry-run --output json > plan.json");
}

// Of the estimates nothing is promised.
plan::Step WithoutTime(plan::Step step) {
  step.duration.reset();
  step.rehearsed.reset();
  return step;
}

}  // namespace

KeptPlans ReadKeptPlans(const std::string& path) {
  boost::system::error_code error;
  const json::value value = json::parse(TextOf(path), error);
  if (error) RefuseFile(path, "it is no JSON");
  const auto* all = value.is_object() ? value.get_object().if_contains("migrations") : nullptr;
  if (all == nullptr || !all->is_array()) RefuseFile(path, "it holds no plans of migrations");
  KeptPlans kept;
  for (const json::value& one : all->get_array()) kept.push_back(ReadOne(one, path));
  return kept;
}

void RefuseOthers(const KeptPlans& kept, const Migrations& wanted,
                  const std::vector<Applied>& applied) {
  Migrations left = wanted;
  for (const KeptPlan& one : kept) {
    // By an earlier attempt, say, that was killed.
    if (std::ranges::find(applied, one.version, &Applied::version) != applied.end()) continue;
    if (left.empty() || left.front()->version != one.version)
      Refuse(fmt::format("{} is in the plan that was kept, and is not {} to be applied",
                         one.version, left.empty() ? "" : "the next"));
    left.erase(left.begin());
  }
  if (!left.empty())
    Refuse(fmt::format("{} is to be applied, and is not in the plan that was kept",
                       left.front()->file));
}

Consents ConsentsIn(const KeptPlans& kept, const Migration& migration) {
  Consents consents;
  const auto found = std::ranges::find(kept, migration.version, &KeptPlan::version);
  if (found == kept.end()) return consents;
  for (const plan::Step& step : found->plan.steps) {
    if (step.rebuild && step.rebuild->rebuild_matviews)
      consents.matviews = plan::Matviews::kMadeAnew;
    if (step.backfill && step.backfill->triggers == plan::Backfill::Triggers::kAccepted)
      consents.fire_triggers = true;
  }
  return consents;
}

void RefuseOtherSteps(const KeptPlans& kept, const Migration& migration, const plan::Plan& now) {
  const auto found = std::ranges::find(kept, migration.version, &KeptPlan::version);
  if (found == kept.end())
    Refuse(fmt::format("{} is not in the plan that was kept", migration.file));
  const auto& before = found->plan.steps;
  for (std::size_t i = 0; i < std::max(before.size(), now.steps.size()); ++i) {
    const bool both = i < before.size() && i < now.steps.size();
    if (both && WithoutTime(before[i]) == WithoutTime(now.steps[i])) continue;
    const auto& step = i < now.steps.size() ? now.steps[i] : before[i];
    Refuse(fmt::format("{} would not be carried out as in the plan that was kept: step {} is {}",
                       migration.file, step.id,
                       both                   ? "another one"
                       : i < now.steps.size() ? "not in it"
                                              : "not needed any more"));
  }
}

}  // namespace pgalter::cli
