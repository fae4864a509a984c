// The JSON that scripts read. Field names and their meaning are stable: docs/schemas/ describes
// them, tests compare. Pure but for Print.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "engine/run/failure.h"
#include "engine/run/progress.h"
#include "engine/state/runs.h"

namespace pgalter::cli {

boost::json::object ErrorJson(const run::Verdict& verdict);
boost::json::object RunsJson(const std::vector<state::Run>& runs);
// One line of a stream. `at`: UTC, ISO 8601.
boost::json::object ProgressJson(const std::string& run, std::string_view state,
                                 const run::Progress& progress, const std::string& at);

// What a run's heartbeat left in the state.
run::Progress ProgressOf(const state::Run& run);

// One line on stdout, at once: somebody may read the other end of a pipe.
void PrintJson(const boost::json::object& json);

}  // namespace pgalter::cli
