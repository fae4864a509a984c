// Pace: the throttle of a rebuild's steps, with what the run was given and what an operator has set
// since.
#pragma once

#include <functional>
#include <string>

#include "batcher/throttle/throttle.h"
#include "engine/run/step_handler.h"

namespace pgalter::copy {

using run::Task;

struct Pace {
  int workers = 1;
  std::chrono::milliseconds chunk_time{500};
  std::map<std::string, std::string> throttle;                // as for `throttle --set`
  std::vector<std::pair<std::string, std::string>> settings;  // of the sessions that run user code
};

Pace PaceOf(const run::Environment& env);
// How many workers are wanted by now: an operator's wish goes before what the run was given.
int WorkersOf(const run::Environment& env);

// Runs `body` beside a throttle that has started, and shows its verdict in the progress. Throws
// run::Failure where a signal cannot be read.
Task<> WithThrottle(run::Environment& env, const std::string& table,
                    const std::function<Task<>(throttle::Throttle&)>& body);

// A session that chunks run on: with the role's settings.
Task<guard::Session> OpenSession(const run::Environment& env);

}  // namespace pgalter::copy
