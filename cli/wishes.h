// What people ask of a run, on the command line or on the dashboard: refused where it means
// nothing, else written where the run's runner reads it, from any machine. All throw Rejected.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/context.h"
#include "engine/guard/session.h"
#include "engine/state/control.h"
#include "engine/state/runs.h"

namespace pgalter::cli {

// Returns once it rests. Where its runner died without a word, the state is set in its place.
Task<> PauseRun(guard::Session& session, state::Run run);

// Returns once what it made is gone, by its runner or, where there is none, by us.
Task<> AbortRun(const Context& context, guard::Session& session, state::Run run);

using PaceSetting = std::pair<std::string, std::string>;
// KEY=VALUE each, all checked before one is written.
std::vector<PaceSetting> ReadPace(const std::vector<std::string>& given);
// What is in force: what the run was begun with, and what was set since, which comes before that.
// Standbys' connections are left out. Pure.
boost::json::object PaceInForce(const state::Run& run, const state::Control& control);
Task<> SetPace(guard::Session& session, state::Run run, std::vector<PaceSetting> settings);

// How far a run may go from now on.
struct Further {
  std::optional<state::Phase> through;
  std::string gate;  // to be opened; empty: none
};
Task<> CheckGate(guard::Session& session, state::Run run, std::string gate);

enum class BesideRunner { kRefused, kTakesOver };
// Whatever stands against a new runner of it. Reads only.
Task<> RefuseGoingOn(guard::Session& session, state::Run run, BesideRunner beside);
// The run may go on; starting a runner for it is the caller's. What somebody who has taken it up
// meanwhile does is not asked to be another thing.
Task<> LetGoOn(guard::Session& session, std::string run, Further further,
               BesideRunner beside = BesideRunner::kRefused);

}  // namespace pgalter::cli
