#include "cli/json_output.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

namespace pgalter::cli {

namespace json = boost::json;

namespace {

constexpr int kVersion = 1;

json::value OrNull(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

// Negative: not known yet.
json::value OrNull(double number) {
  return number < 0 ? json::value(nullptr) : json::value(number);
}

json::object EtaJson(const run::Progress& progress) {
  return {{"low", OrNull(progress.eta_low_s)}, {"high", OrNull(progress.eta_high_s)}};
}

json::object ThrottleJson(const run::Progress& progress) {
  return {{"ratio", progress.throttle_ratio}, {"reason", OrNull(progress.throttle_reason)}};
}

json::object RunJson(const state::Run& run) {
  const run::Progress progress = ProgressOf(run);
  return {{"run", run.id},
          {"command", run.command},
          {"table", run.target},
          {"state", state::Name(run.state)},
          {"phase", run.phase},
          {"done_rows", run.done_rows},
          {"total_rows", run.total_rows},
          {"rows_per_s", progress.rows_per_s},
          {"eta_s", EtaJson(progress)},
          {"throttle", ThrottleJson(progress)},
          {"started_at", run.created_at},
          {"updated_at", run.updated_at}};
}

double Number(const json::object& from, std::string_view key, double fallback) {
  const json::value* value = from.if_contains(key);
  return value && value->is_number() ? value->to_number<double>() : fallback;
}

std::int64_t Count(const json::object& from, std::string_view key) {
  return static_cast<std::int64_t>(Number(from, key, 0));
}

std::string Text(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

json::object ErrorJson(const run::Verdict& verdict) {
  const json::object error{{"exit_code", static_cast<int>(verdict.code)},
                           {"what", verdict.text},
                           {"object", OrNull(verdict.object)},
                           {"sqlstate", OrNull(verdict.sqlstate)},
                           {"hint", OrNull(verdict.hint)}};
  return {{"version", kVersion}, {"error", error}};
}

json::object RunsJson(const std::vector<state::Run>& runs) {
  json::array list;
  for (const state::Run& run : runs) list.emplace_back(RunJson(run));
  return {{"version", kVersion}, {"runs", std::move(list)}};
}

json::object ProgressJson(const std::string& run, std::string_view state,
                          const run::Progress& progress, const std::string& at) {
  return {{"version", kVersion},
          {"run", run},
          {"at", at},
          {"state", state},
          {"phase", progress.phase},
          {"fraction", progress.fraction},
          {"done_rows", progress.done_rows},
          {"total_rows", progress.total_rows},
          {"rows_per_s", progress.rows_per_s},
          {"eta_s", EtaJson(progress)},
          {"throttle", ThrottleJson(progress)},
          {"hot_share", OrNull(progress.hot_share)},
          {"chunks", progress.chunks},
          {"worst_chunk_ms", progress.worst_chunk_ms},
          {"waiting_rows", progress.waiting_rows},
          {"quarantined_rows", progress.quarantined_rows},
          {"remark", OrNull(progress.remark)},
          {"note", OrNull(progress.note)},
          {"step", progress.step},
          {"steps", progress.steps},
          {"gate", OrNull(progress.gate)}};
}

run::Progress ProgressOf(const state::Run& run) {
  const json::object& kept = run.progress;
  run::Progress progress;
  progress.phase = run.phase;
  progress.done_rows = run.done_rows;
  progress.total_rows = run.total_rows;
  progress.fraction = Number(kept, "fraction", run.state == state::RunState::kDone ? 1 : 0);
  progress.chunks = Count(kept, "chunks");
  progress.hot_share = Number(kept, "hot_share", -1);
  progress.worst_chunk_ms = Number(kept, "worst_chunk_ms", 0);
  progress.waiting_rows = Count(kept, "waiting_rows");
  progress.quarantined_rows = Count(kept, "quarantined_rows");
  progress.step = static_cast<int>(Count(kept, "step"));
  progress.steps = static_cast<int>(Count(kept, "steps"));
  progress.gate = Text(kept, "gate");
  // It is of the way there: how long users waited, until when there is a way back.
  if (run.state != state::RunState::kReverted) progress.remark = Text(kept, "remark");
  // Speed, forecast and reason are those of the last heartbeat: of a run that rests they are none.
  const bool moving =
      run.state == state::RunState::kRunning || run.state == state::RunState::kWaiting;
  if (!moving) return progress;
  progress.rows_per_s = Number(kept, "rows_per_s", 0);
  progress.eta_low_s = Number(kept, "eta_low_s", -1);
  progress.eta_high_s = Number(kept, "eta_high_s", -1);
  progress.throttle_ratio = Number(kept, "throttle_ratio", 1);
  progress.throttle_reason = Text(kept, "throttle_reason");
  progress.note = Text(kept, "note");
  return progress;
}

void PrintJson(const json::object& json) {
  const std::string line = json::serialize(json) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

}  // namespace pgalter::cli
