// What people who watch runs look at besides the runs themselves: who works on them, how their
// steps and their pace went, what was asked for. Reads only, and also what an older program has
// made.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/state/runs.h"

namespace pgalter::state {

// By run: the runners whose heartbeat session is still connected, as LiveRunner finds one.
Task<std::map<std::string, Runner>> LiveRunners(Session& session);

struct StepView {
  int ordinal = 0;
  std::string id;
  std::string kind;
  std::string phase;
  std::string state;
  boost::json::object spec;
  std::optional<double> started;  // seconds since 1970
  std::optional<double> ended;
};
Task<std::vector<StepView>> ViewSteps(Session& session, std::string run);

struct ControlView {
  std::string wanted;
  std::string through;
  std::vector<std::string> passed;
  std::string cutover;     // wait, now; empty: as the run was asked to
  std::string cutover_at;  // UTC, ISO 8601; empty: at once
  boost::json::object throttle;
  std::string changed_by;
  std::string changed_at;
};
Task<ControlView> ViewControl(Session& session, std::string run);

// The samples of a stretch of time, together. The lowest ratio and its reason, so that a stop is
// seen at any width.
struct SampleBucket {
  double at = 0;  // seconds since 1970, of its last sample
  double done_rows = 0;
  double rows_per_s = 0;
  double throttle_ratio = 1;
  std::string throttle_reason;
  // Not known of a run that moves no rows, or that an older program carried.
  std::optional<double> chunk_ms;
  std::optional<double> chunk_rows;
  std::optional<double> commit_ms;      // the longest
  std::map<std::string, double> lag_s;  // by standby, the longest
};

// Which stretches `points` points of so many seconds are: at least a second each. Pure.
double BucketSeconds(double seconds, int points);

// Since that moment (0: the beginning), as at most about `points` buckets.
Task<std::vector<SampleBucket>> ViewSamples(Session& session, std::string run, double since,
                                            int points);

// By run, of those that have swapped the tables of a rebuild: for how long users waited behind it.
Task<std::map<std::string, double>> BlockedSeconds(Session& session);

// Until when what users change is logged while no runner is there (batcher/capture's dead man's
// switch); each beat of a runner moves it.
struct LogEnd {
  enum class Loses { kCopy, kWayBack };
  Loses loses = Loses::kCopy;  // past it
  std::string until;           // UTC, ISO 8601
  double at = 0;               // seconds since 1970
  double seconds_left = 0;
  double unattended_s = 0;  // from a beat on
  bool given_up = false;    // a change was not logged
};
// By run, of those that have one. `run` empty: all.
Task<std::map<std::string, LogEnd>> LogEnds(Session& session, std::string run);
// What a person is told of it, as a sentence.
std::string ToSentence(const LogEnd& end, const std::string& run);

// Sessions of this database that wait for a lock.
Task<std::int64_t> CountLockWaiters(Session& session);

}  // namespace pgalter::state
