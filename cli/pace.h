// The pace of what changes rows, as options: --workers, --chunk-time, --max-lag, --replica,
// --throttle and --without-signal.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <map>
#include <string>

#include "cli/context.h"
#include "engine/run/plan_spec.h"

namespace pgalter::cli {

// --max-lag, --replica, --throttle, --without-signal.
void AddThrottleOptions(boost::program_options::options_description& options);
// As for `pgalter throttle --set`. Throws Rejected (usage).
std::map<std::string, std::string> ThrottleOf(const Context& context);

// --canary, of what moves the rows of one table or more.
void AddCanaryOption(boost::program_options::options_description& options);
// As a key of the run's pace. Throws Rejected (usage).
void AddCanary(const Context& context, std::map<std::string, std::string>& throttle);
// Whether a plan has anything for a canary to be the first part of. Throws Rejected (usage) where
// rows are copied in an order of their own, which has no first part.
bool HasRoomForCanary(const plan::Plan& plan);

// These, and --workers and --chunk-time, for all steps of a plan that change rows.
void AddPaceOptions(boost::program_options::options_description& options);
// Throws Rejected (usage).
run::Pace PaceOf(const Context& context);

}  // namespace pgalter::cli
