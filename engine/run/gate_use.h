// What has happened since a run reached a gate, which may be weeks ago. Both functions note in the
// gate's spec how things are when it is reached, the first time.
#pragma once

#include <string>
#include <vector>

#include "engine/run/step_handler.h"

namespace pgalter::run {

// Tables that are dropped, or hidden to be dropped, behind the gate and before the next one. Pure.
std::vector<std::string> TakenAwayBehind(const std::vector<state::Step>& steps, int gate_ordinal);

// Empty: nobody has used them, or there is nothing to count; else what was used how often. The
// server counts everybody's reads and writes, a dump's as well: so it keeps a gate shut only
// against those who have not looked.
Task<std::string> UseSinceReached(Environment& env, state::Step& gate);

// What the tables of the plan are: others than when it was reached?
Task<bool> ChangedSinceReached(Environment& env, state::Step& gate);
// They are taken as they are now.
Task<> NoteSchema(Environment& env, state::Step& gate);

}  // namespace pgalter::run
