#include "cli/serve/run_json.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <set>

#include "cli/json_output.h"
#include "engine/run/plan_spec.h"
#include "engine/watch/signals.h"

namespace pgalter::cli::serve {

namespace json = boost::json;

namespace {

json::value OrNull(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::value OrNull(const std::optional<double>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

json::value RunnerJson(const std::optional<state::Runner>& runner) {
  if (!runner) return nullptr;
  return json::object{{"host", runner->host},
                      {"process", runner->process},
                      {"backend_pid", runner->backend_pid},
                      {"last_beat", runner->last_beat}};
}

json::value GateJson(const state::StepView& step, const state::ControlView& control) {
  state::Step planned;
  planned.id = step.id;
  planned.kind = step.kind;
  planned.phase = step.phase;
  planned.spec = step.spec;
  const auto gate = run::PlannedStep(planned).gate;
  if (!gate) return nullptr;
  const auto& passed = control.passed;
  return json::object{
      {"name", gate->name},
      {"passed", std::find(passed.begin(), passed.end(), gate->name) != passed.end()}};
}

json::array StepsJson(const RunDetails& details) {
  json::array steps;
  for (const state::StepView& step : details.steps)
    steps.push_back({{"ordinal", step.ordinal},
                     {"id", step.id},
                     {"kind", step.kind},
                     {"phase", step.phase},
                     {"state", step.state},
                     {"started", OrNull(step.started)},
                     {"ended", OrNull(step.ended)},
                     {"gate", GateJson(step, details.control)}});
  return steps;
}

json::array PassedJson(const state::ControlView& control) {
  json::array passed;
  for (const std::string& gate : control.passed) passed.emplace_back(gate);
  return passed;
}

json::object ControlJson(const state::ControlView& control) {
  return {{"passed", PassedJson(control)},
          {"wanted", control.wanted},
          {"through", control.through},
          {"cutover", OrNull(control.cutover)},
          {"cutover_at", OrNull(control.cutover_at)},
          {"throttle", control.throttle},
          {"changed_by", control.changed_by},
          {"changed_at", control.changed_at}};
}

json::array EpisodesJson(const std::vector<state::LockEpisode>& episodes) {
  json::array list;
  for (const state::LockEpisode& episode : episodes)
    list.push_back({{"began_at", episode.began_at},
                    {"seconds", episode.seconds},
                    {"step", episode.step},
                    {"waiters", episode.waiters},
                    {"trees", episode.trees}});
  return list;
}

// One column a standby, as long as the others.
json::object LagsJson(const std::vector<state::SampleBucket>& samples) {
  std::set<std::string> names;
  for (const state::SampleBucket& sample : samples)
    for (const auto& [name, lag] : sample.lag_s) names.insert(name);
  json::object lags;
  for (const std::string& name : names) {
    json::array column;
    for (const state::SampleBucket& sample : samples) {
      const auto found = sample.lag_s.find(name);
      column.emplace_back(found == sample.lag_s.end() ? json::value(nullptr)
                                                      : json::value(found->second));
    }
    lags[name] = std::move(column);
  }
  return lags;
}

// By columns: a plot takes them as they are, and names are not said a thousand times.
json::object SamplesJson(const std::vector<state::SampleBucket>& samples) {
  json::array at;
  json::array done_rows;
  json::array rows_per_s;
  json::array ratio;
  json::array reason;
  json::array signal;
  json::array chunk_ms;
  json::array chunk_rows;
  json::array commit_ms;
  for (const state::SampleBucket& sample : samples) {
    at.emplace_back(sample.at);
    done_rows.emplace_back(sample.done_rows);
    rows_per_s.emplace_back(sample.rows_per_s);
    ratio.emplace_back(sample.throttle_ratio);
    reason.emplace_back(sample.throttle_reason);
    signal.emplace_back(SignalOf(sample.throttle_reason));
    chunk_ms.emplace_back(OrNull(sample.chunk_ms));
    chunk_rows.emplace_back(OrNull(sample.chunk_rows));
    commit_ms.emplace_back(OrNull(sample.commit_ms));
  }
  return {{"at", std::move(at)},
          {"done_rows", std::move(done_rows)},
          {"rows_per_s", std::move(rows_per_s)},
          {"throttle_ratio", std::move(ratio)},
          {"throttle_reason", std::move(reason)},
          {"throttle_signal", std::move(signal)},
          {"chunk_ms", std::move(chunk_ms)},
          {"chunk_rows", std::move(chunk_rows)},
          {"commit_ms", std::move(commit_ms)},
          {"lag_s", LagsJson(samples)}};
}

// What its runner measured last; of a run that rests it would be of another time.
void AddMeasured(const state::Run& run, json::object& shown) {
  const bool moves =
      run.state == state::RunState::kRunning || run.state == state::RunState::kWaiting;
  for (const char* key : {"chunk_ms", "chunk_rows", "commit_ms"}) {
    const json::value* value = moves ? run.progress.if_contains(key) : nullptr;
    const bool known = value != nullptr && value->is_number() && value->to_number<double>() >= 0;
    shown[key] = known ? *value : json::value(nullptr);
  }
  for (const char* key : {"standbys", "signals"}) {
    const json::value* value = moves ? run.progress.if_contains(key) : nullptr;
    shown[key] = value != nullptr && value->is_array() ? *value : json::value(json::array());
  }
}

}  // namespace

json::object ShownRunJson(const state::Run& run, const std::optional<state::Runner>& runner) {
  const json::object base = RunsJson({run});
  json::object shown = base.at("runs").as_array().at(0).as_object();
  json::object progress =
      ProgressJson(run.id, state::Name(run.state), ProgressOf(run), run.updated_at);
  for (const char* key : {"version", "at"}) progress.erase(key);
  for (auto& entry : progress)
    if (!shown.contains(entry.key())) shown[entry.key()] = entry.value();
  AddMeasured(run, shown);
  shown["failure"] = OrNull(run.failure);
  shown["finished"] = run.finished;
  shown["runner"] = RunnerJson(runner);
  return shown;
}

json::object DetailsJson(const state::Run& run, const std::optional<state::Runner>& runner,
                         const RunDetails& details) {
  return {{"run", ShownRunJson(run, runner)},
          {"steps", StepsJson(details)},
          {"control", ControlJson(details.control)},
          {"samples", SamplesJson(details.samples)},
          {"lock_episodes", EpisodesJson(details.lock_episodes)}};
}

std::string SignalOf(const std::string& reason) {
  if (reason.empty()) return "";
  if (reason.starts_with("set to at most")) return "operator";
  const std::string first = reason.substr(0, reason.find_first_of(" :"));
  const bool known = watch::FindSignal(first) != nullptr || first == "window";
  return known ? first : "other";
}

}  // namespace pgalter::cli::serve
