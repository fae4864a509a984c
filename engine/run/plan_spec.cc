#include "engine/run/plan_spec.h"

#include <stdexcept>

#include "planner/plan/json.h"

namespace pgalter::run {

namespace json = boost::json;

namespace {

std::chrono::milliseconds Milliseconds(const json::object& object, const char* name) {
  return std::chrono::milliseconds(object.at(name).to_number<std::int64_t>());
}

// Runs of before it was kept have none.
Pace PaceFrom(const state::Run& run) {
  Pace pace;
  const auto* found = run.spec.if_contains(kPace);
  if (found == nullptr) return pace;
  const json::object& kept = found->as_object();
  if (const auto* workers = kept.if_contains("workers")) pace.workers = workers->to_number<int>();
  if (kept.contains("chunk_time_ms")) pace.chunk_time = Milliseconds(kept, "chunk_time_ms");
  for (const auto& entry : kept.at("throttle").as_object())
    pace.throttle[std::string(entry.key())] = entry.value().as_string().c_str();
  return pace;
}

}  // namespace

json::object ToJson(const Pace& pace) {
  json::object kept;
  if (pace.workers) kept["workers"] = *pace.workers;
  if (pace.chunk_time) kept["chunk_time_ms"] = pace.chunk_time->count();
  json::object throttle;
  for (const auto& [key, value] : pace.throttle) throttle[key] = value;
  kept["throttle"] = std::move(throttle);
  return kept;
}

json::object ToJson(const PlanSpec& spec) {
  const lock::LadderOptions& ladder = spec.ladder;
  json::array relations;
  for (const auto& relation : spec.relations) relations.emplace_back(sql::ToString(relation));
  return {{"relations", std::move(relations)},
          {"settings", guard::ToJson(spec.settings)},
          {kPace, ToJson(spec.pace)},
          {"ladder", json::object{{"budget_ms", ladder.budget.count()},
                                  {"hold_budget_ms", ladder.hold_budget.count()},
                                  {"policy", static_cast<int>(ladder.policy)},
                                  {"idle_for_s", ladder.idle_for.count()}}}};
}

PlanSpec PlanSpecOf(const state::Run& run) {
  PlanSpec spec;
  const auto* settings = run.spec.if_contains("settings");
  if (settings != nullptr && settings->is_array())
    spec.settings = guard::SettingsFromJson(settings->as_array());
  // As a rebuild keeps them.
  if (settings != nullptr && settings->is_object())
    for (const auto& entry : settings->as_object())
      spec.settings.emplace_back(std::string(entry.key()), entry.value().as_string().c_str());
  if (const auto* relations = run.spec.if_contains("relations"))
    for (const auto& text : relations->as_array())
      if (auto name = sql::ParseQualifiedName(std::string_view(text.as_string())))
        spec.relations.push_back(std::move(*name));
  spec.ladder = LadderOf(run);
  spec.pace = PaceFrom(run);
  return spec;
}

lock::LadderOptions LadderOf(const state::Run& run) {
  lock::LadderOptions options;
  const auto* kept = run.spec.if_contains("ladder");
  if (kept == nullptr) return options;
  const json::object& ladder = kept->as_object();
  options.budget = Milliseconds(ladder, "budget_ms");
  options.hold_budget = Milliseconds(ladder, "hold_budget_ms");
  options.policy = static_cast<lock::BlockerPolicy>(ladder.at("policy").to_number<std::int64_t>());
  options.idle_for = std::chrono::seconds(ladder.at("idle_for_s").to_number<std::int64_t>());
  return options;
}

plan::Step PlannedStep(const state::Step& step) {
  const auto* kept = step.spec.if_contains("plan");
  if (kept == nullptr) return {};
  auto planned = plan::StepFromJson(*kept);
  if (!planned) throw std::logic_error(planned.error().message);
  return std::move(*planned);
}

Task<guard::Session> OpenAsRole(const Environment& env) {
  guard::SessionOptions options = env.sessions;
  options.settings = PlanSpecOf(env.run).settings;
  guard::Session session = co_await guard::Session::Open(std::move(options));
  co_return session;
}

}  // namespace pgalter::run
