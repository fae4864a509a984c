// Legal holds: what a plan's statements would drop, empty or detach though `partition hold` keeps
// it. Asked by the relations that a statement names, when a run is made; what a function, a DO
// block or a trigger does is not seen.
#pragma once

#include <string>

#include "engine/guard/session.h"
#include "planner/plan/plan.h"

namespace pgalter::run {

using async::Task;

// Throws Failure (refused).
Task<> RefuseHeld(guard::Session& session, const plan::Plan& plan);

}  // namespace pgalter::run
