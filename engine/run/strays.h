// Strays: tables that a run has made partitions, and that users, or another run, have detached or
// dropped since. They are users' own now: taking the run back leaves them as they are, with their
// rows, and takes back the rest. A run that itself renames, moves or detaches tables has none: its
// names are not those of now.
#pragma once

#include <string>
#include <vector>

#include "engine/run/step_handler.h"

namespace pgalter::run {

// Takes out of the steps' undo what concerns strays; what is a stray is recorded with the step, so
// that it stays one after a crash. Of our own CHECKs on them none is left. A sentence for people;
// empty: there are no strays. Throws LeaseLost, PgError.
Task<std::string> LeaveStrays(Environment& env, std::vector<state::Step>& steps);

}  // namespace pgalter::run
