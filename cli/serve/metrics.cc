#include "cli/serve/metrics.h"

#include <algorithm>
#include <array>

#include "cli/json_output.h"
#include "cli/serve/openmetrics.h"
#include "cli/serve/run_json.h"

namespace pgalter::cli::serve {

namespace {

using state::RunState;

constexpr std::array kStates{RunState::kRunning, RunState::kPaused,  RunState::kWaiting,
                             RunState::kReady,   RunState::kDone,    RunState::kFailed,
                             RunState::kAborted, RunState::kReverted};

struct Row {
  const MetricRun* of;
  run::Progress progress;
  [[nodiscard]] Labels Named() const { return {{"run", of->run.id}}; }
};

std::vector<Row> RowsOf(const MetricsInput& input) {
  std::vector<Row> rows;
  for (const MetricRun& entry : input.runs)
    if (state::IsActive(entry.run.state) || entry.run.state == RunState::kFailed)
      rows.push_back({&entry, ProgressOf(entry.run)});
  return rows;
}

template <class Value>
std::vector<Sample> Each(const std::vector<Row>& rows, Value value) {
  std::vector<Sample> samples;
  for (const Row& row : rows) samples.push_back({row.Named(), static_cast<double>(value(row))});
  return samples;
}

void AddAboutUs(const MetricsInput& input, Exposition& text) {
  text.Add({"pgalter_build", MetricType::kInfo, "", "The program that says this."},
           {{{{"version", input.version}}, 1}});
  text.Add({"pgalter_database_up", MetricType::kGauge, "",
            "1 while the database is reached. Otherwise all else here is what was seen last."},
           {{{}, input.connected ? 1.0 : 0.0}});
  if (!input.lock_waiters) return;
  text.Add({"pgalter_lock_waiting_sessions", MetricType::kGauge, "",
            "Sessions of this database that wait for a lock, whoever holds it."},
           {{{}, static_cast<double>(*input.lock_waiters)}});
}

void AddCounts(const MetricsInput& input, Exposition& text) {
  std::vector<Sample> samples;
  for (const RunState state : kStates) {
    double count = 0;
    for (const MetricRun& entry : input.runs) count += entry.run.state == state ? 1 : 0;
    samples.push_back({{{"state", std::string(state::Name(state))}}, count});
  }
  text.Add({"pgalter_runs", MetricType::kGauge, "", "Runs that the database remembers."}, samples);
}

void AddRuns(const std::vector<Row>& rows, Exposition& text) {
  std::vector<Sample> infos;
  std::vector<Sample> states;
  for (const Row& row : rows) {
    const state::Run& run = row.of->run;
    infos.push_back({{{"run", run.id}, {"command", run.command}, {"table", run.target}}, 1});
    for (const RunState state : kStates)
      states.push_back({{{"run", run.id}, {"state", std::string(state::Name(state))}},
                        run.state == state ? 1.0 : 0.0});
  }
  text.Add({"pgalter_run", MetricType::kInfo, "", "A run that is active or has failed."}, infos);
  text.Add({"pgalter_run_state", MetricType::kGauge, "", "1 for the state that the run is in."},
           states);
  text.Add({"pgalter_run_runner_up", MetricType::kGauge, "",
            "1 while somebody works on the run: its runner is connected."},
           Each(rows, [](const Row& row) { return row.of->runner ? 1 : 0; }));
  std::vector<Sample> ages;
  for (const Row& row : rows)
    if (row.of->runner) ages.push_back({row.Named(), row.of->runner->seconds_since_beat});
  text.Add({"pgalter_run_heartbeat_age_seconds", MetricType::kGauge, "seconds",
            "Since the runner was last heard of."},
           ages);
}

void AddProgress(const std::vector<Row>& rows, Exposition& text) {
  text.Add({"pgalter_rows_copied", MetricType::kCounter, "", "Rows that the run has done."},
           Each(rows, [](const Row& row) { return row.progress.done_rows; }));
  text.Add({"pgalter_rows_estimate", MetricType::kGauge, "",
            "Rows that the run has to do in all, as far as it knows."},
           Each(rows, [](const Row& row) { return row.progress.total_rows; }));
  text.Add({"pgalter_rows_quarantined", MetricType::kGauge, "", "Rows that cannot be changed."},
           Each(rows, [](const Row& row) { return row.progress.quarantined_rows; }));
  text.Add({"pgalter_rows_per_second", MetricType::kGauge, "", "Over the last seconds."},
           Each(rows, [](const Row& row) { return row.progress.rows_per_s; }));
  text.Add({"pgalter_progress_ratio", MetricType::kGauge, "ratio",
            "How much of the work of its phase is done."},
           Each(rows, [](const Row& row) { return row.progress.fraction; }));
  std::vector<Sample> etas;
  for (const Row& row : rows) {
    if (row.progress.eta_low_s < 0) continue;
    etas.push_back({{{"run", row.of->run.id}, {"bound", "low"}}, row.progress.eta_low_s});
    etas.push_back({{{"run", row.of->run.id}, {"bound", "high"}}, row.progress.eta_high_s});
  }
  text.Add({"pgalter_eta_seconds", MetricType::kGauge, "seconds",
            "Until the end of the phase, from what the rate has been; absent where not known."},
           etas);
  text.Add({"pgalter_chunks", MetricType::kCounter, "", "Transactions that moved rows."},
           Each(rows, [](const Row& row) { return row.progress.chunks; }));
  text.Add({"pgalter_chunk_longest_seconds", MetricType::kGauge, "seconds",
            "The longest of these transactions so far."},
           Each(rows, [](const Row& row) { return row.progress.worst_chunk_ms / 1000; }));
}

void AddPace(const std::vector<Row>& rows, Exposition& text) {
  std::vector<Sample> ratios;
  for (const Row& row : rows) {
    const RunState state = row.of->run.state;
    if (state != RunState::kRunning && state != RunState::kWaiting) continue;
    ratios.push_back({{{"run", row.of->run.id}, {"signal", SignalOf(row.progress.throttle_reason)}},
                      row.progress.throttle_ratio});
  }
  text.Add({"pgalter_throttle_ratio", MetricType::kGauge, "ratio",
            "Share of the time in which the run works: 1 is full speed, 0 a stop. signal: what "
            "holds it back; empty: nothing."},
           ratios);
}

void AddStandbys(const std::vector<Row>& rows, Exposition& text) {
  std::vector<Sample> lags;
  for (const Row& row : rows) {
    const auto* standbys = row.of->run.progress.if_contains("standbys");
    if (row.of->run.state != RunState::kRunning || standbys == nullptr) continue;
    for (const auto& standby : standbys->as_array())
      lags.push_back(
          {{{"run", row.of->run.id}, {"standby", std::string(standby.at("name").as_string())}},
           standby.at("lag_s").to_number<double>()});
  }
  text.Add({"pgalter_replica_lag_seconds", MetricType::kGauge, "seconds",
            "How far a standby is behind, as the run that is at work sees it."},
           lags);
}

void AddCutovers(const MetricsInput& input, Exposition& text) {
  std::vector<Sample> blocked;
  for (const MetricRun& entry : input.runs) {
    const auto found = input.blocked_seconds.find(entry.run.id);
    if (found == input.blocked_seconds.end() || entry.run.finished) continue;
    blocked.push_back({{{"run", entry.run.id}, {"table", entry.run.target}}, found->second});
  }
  text.Add({"pgalter_cutover_blocked_seconds", MetricType::kGauge, "seconds",
            "For how long users could not use the table while its new version took its place."},
           blocked);
}

// Of runs without a runner: each beat of one moves it on.
void AddLogEnds(const MetricsInput& input, Exposition& text) {
  std::vector<Sample> left;
  for (const MetricRun& entry : input.runs) {
    const auto found = input.log_ends.find(entry.run.id);
    if (found == input.log_ends.end() || entry.runner || entry.run.finished) continue;
    const state::LogEnd& end = found->second;
    const bool copy = end.loses == state::LogEnd::Loses::kCopy;
    left.push_back({{{"run", entry.run.id}, {"loses", copy ? "copy" : "way back"}},
                    end.given_up ? 0 : std::max(end.seconds_left, 0.0)});
  }
  text.Add({"pgalter_log_left_seconds", MetricType::kGauge, "seconds",
            "Of a run without a runner: until users' changes are logged no more, and the copy, or "
            "the way back, is lost. 0: it is."},
           left);
}

void AddMaintained(const MetricsInput& input, Exposition& text) {
  std::vector<Sample> succeeded;
  std::vector<Sample> failures;
  std::vector<Sample> failing;
  std::vector<Sample> made;
  for (const MetricTable& table : input.maintained) {
    const Labels named{{"table", table.table}};
    if (table.succeeded) succeeded.push_back({named, static_cast<double>(*table.succeeded)});
    failures.push_back({named, static_cast<double>(table.failures)});
    failing.push_back({named, static_cast<double>(table.failing)});
    made.push_back({named, static_cast<double>(table.made)});
  }
  text.Add({"pgalter_maintenance_success_timestamp_seconds", MetricType::kGauge, "seconds",
            "When this server last found, or made, all partitions that the table needs ahead."},
           succeeded);
  text.Add({"pgalter_maintenance_failing", MetricType::kGauge, "",
            "How often in a row the table could not be maintained; 0: it could the last time."},
           failing);
  text.Add({"pgalter_maintenance_failures", MetricType::kCounter, "",
            "How often the table could not be maintained."},
           failures);
  text.Add({"pgalter_partitions_made", MetricType::kCounter, "",
            "Partitions that this server has made of the table."},
           made);
}

}  // namespace

std::string MetricsText(const MetricsInput& input) {
  Exposition text;
  const std::vector<Row> rows = RowsOf(input);
  AddAboutUs(input, text);
  AddCounts(input, text);
  AddRuns(rows, text);
  AddProgress(rows, text);
  AddPace(rows, text);
  AddStandbys(rows, text);
  AddCutovers(input, text);
  AddLogEnds(input, text);
  AddMaintained(input, text);
  return text.Text();
}

}  // namespace pgalter::cli::serve
