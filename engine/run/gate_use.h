// Whether anybody has used what a gate keeps from being taken away, since a run reached the gate:
// the server counts reads and writes of tables.
//
// It counts everybody's, a dump's as well: so it keeps a gate shut only against those who have not
// looked.
#pragma once

#include <string>
#include <vector>

#include "engine/run/step_handler.h"

namespace pgalter::run {

// Tables that are dropped, or hidden to be dropped, behind the gate and before the next one. Pure.
std::vector<std::string> TakenAwayBehind(const std::vector<state::Step>& steps, int gate_ordinal);

// Notes the counts when the gate is reached, the first time. Empty: they are as they were, or there
// is nothing to count; else what has been used how often.
Task<std::string> UseSinceReached(Environment& env, const state::Step& gate);

}  // namespace pgalter::run
