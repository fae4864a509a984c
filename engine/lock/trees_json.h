// Trees of waiters as JSON: what `pgalter locks` prints, and what is kept with a run. Pure.
#pragma once

#include <boost/json/array.hpp>
#include <map>
#include <string>
#include <vector>

#include "engine/lock/locks_view.h"

namespace pgalter::lock {

// Of runs of ours: the step at work, by the run's id.
using StepsAtWork = std::map<std::string, std::string>;

// The run that a session belongs to; empty: none.
std::string RunOf(const SessionInfo& session);
// What its run is at, where that is known.
std::string StepOf(const SessionInfo& session, const StepsAtWork& steps);

boost::json::array TreesJson(const std::vector<LockNode>& trees, const StepsAtWork& steps);

}  // namespace pgalter::lock
