// Who waits behind whom, as text and as JSON. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <vector>

#include "engine/lock/locks_view.h"

namespace pgalter::cli {

// Of runs of ours: the step at work, by the run's id.
using StepsAtWork = std::map<std::string, std::string>;

// The run that a session belongs to; empty: none.
std::string RunOf(const lock::SessionInfo& session);

std::string LockTreeText(const std::vector<lock::LockNode>& trees, const StepsAtWork& steps = {});
boost::json::object LocksJson(const std::vector<lock::LockNode>& trees,
                              const StepsAtWork& steps = {});

}  // namespace pgalter::cli
