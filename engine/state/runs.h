// Runs: one execution each, known by a UUID. State changes are compare-and-set.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/guard/lease.h"
#include "engine/guard/session.h"

namespace pgalter::state {

using async::Task;
using guard::Session;

enum class RunState { kRunning, kPaused, kWaiting, kReady, kDone, kFailed, kAborted, kReverted };

std::string_view Name(RunState state);
RunState ParseRunState(std::string_view name);
// Running, paused, waiting or ready: the table is taken.
bool IsActive(RunState state);

struct Run {
  std::string id;
  std::string command;
  std::string target;  // the table, quoted as SQL
  pg::Oid relid = 0;
  boost::json::object spec;
  RunState state = RunState::kRunning;
  std::string phase;
  std::int64_t done_rows = 0;
  std::int64_t total_rows = 0;
  boost::json::object progress;
  std::string failure;
  std::string created_at;  // UTC, ISO 8601
  std::string updated_at;
  bool finished = false;  // `finish` has removed what the run kept
};

// It waits at a gate, where nobody has to work on it.
bool RestsAtGate(const Run& run);

// Another run has the table.
class TableTaken : public std::runtime_error {
 public:
  TableTaken(std::string table, std::string run, std::string_view state);
};

std::string NewRunId();

// Inserts run, lease (epoch 0) and control row; `also`: tables that it changes besides its target.
// In the caller's transaction. Throws TableTaken.
Task<> CreateRun(Session& session, const Run& run, const std::vector<pg::Oid>& also = {});

// Whether a run that had ended may be active again: it held its tables no more. In the transaction
// that makes it active, so that of two that begin at once one sees the other. Throws TableTaken.
Task<> ClaimTables(Session& session, std::string run);
// The same, to tell people in time; waits for nobody, and promises nothing.
Task<> RefuseTakenTables(Session& session, std::string run);

// By UUID or by a prefix that is unique. nullopt: none.
Task<std::optional<Run>> FindRun(Session& session, std::string id_or_prefix);
Task<std::vector<Run>> ListRuns(Session& session);  // newest first
// Active ones, and those that were written to so recently.
Task<std::vector<Run>> ListRecentRuns(Session& session, std::chrono::seconds since);

// Compare-and-set. False: the run was not in `from` any more.
Task<bool> ChangeState(Session& session, std::string run, RunState from, RunState to);

// By the lease's holder. Throws LeaseLost when it is no longer that.
Task<> RecordState(Session& session, const guard::Lease& lease, RunState state, std::string phase,
                   std::string failure);

// One heartbeat with the figures of the moment, and a sample for the curve where asked for.
struct Pulse {
  std::string phase;
  RunState state = RunState::kRunning;
  std::int64_t done_rows = 0;
  std::int64_t total_rows = 0;
  double rows_per_s = 0;
  double throttle_ratio = 1;
  std::string throttle_reason;
  boost::json::object progress;
};
enum class Sampling { kNo, kYes };
// Throws LeaseLost when another runner has the run.
Task<> Beat(Session& session, const guard::Lease& lease, const Pulse& pulse, Sampling sampling);

// Who runs it now: the runner's heartbeat session, where that is still connected. A runner that was
// killed a moment ago may still be there.
struct Runner {
  std::string host;
  int process = 0;
  int backend_pid = 0;
  double seconds_since_beat = 0;
  std::string last_beat;  // tells one beat from the next
};
Task<std::optional<Runner>> LiveRunner(Session& session, std::string run);

}  // namespace pgalter::state
