// A run as the page gets it. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/state/lock_episodes.h"
#include "engine/state/runs.h"
#include "engine/state/view.h"

namespace pgalter::cli::serve {

// As one of `ps --output json`, with what a heartbeat says besides.
boost::json::object ShownRunJson(const state::Run& run, const std::optional<state::Runner>& runner);

struct RunDetails {
  std::vector<state::StepView> steps;
  state::ControlView control;
  std::vector<state::SampleBucket> samples;
  std::vector<state::LockEpisode> lock_episodes;  // the newest first
};
boost::json::object DetailsJson(const state::Run& run, const std::optional<state::Runner>& runner,
                                const RunDetails& details);

// The signal that a reason of the throttle names: its id, "operator", "other", or "" for none.
std::string SignalOf(const std::string& reason);

}  // namespace pgalter::cli::serve
