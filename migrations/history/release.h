#pragma once

// The old tables of a migration's rebuilds: as long as they are kept nobody else changes the new
// ones, so they go at the end of the migration, and those behind it can begin. Pure; private to
// migrations/history.

#include "planner/plan/plan.h"

namespace pgalter::history {

// Behind all other steps: a gate, and the step that lets go of what the last rebuild keeps. A gate
// that the migration itself ends with stands for it. Nothing where nothing is kept.
void ReleaseAtEnd(plan::Plan& plan);

}  // namespace pgalter::history
