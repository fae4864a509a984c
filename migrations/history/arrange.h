#pragma once

// The marks of our own format among the planner's steps: gates, backfills, contract. Pure; private
// to migrations/history.

#include <string>
#include <vector>

#include "migrations/formats/own_file.h"
#include "planner/plan/plan.h"

namespace pgalter::history {

// The planner's steps of each section, with what the marks ask for between them; what stands behind
// a gate is contract. Says what cannot be arranged; empty: nothing.
[[nodiscard]] std::string ArrangeSections(const std::vector<formats::Section>& sections,
                                          plan::Plan& plan);

}  // namespace pgalter::history
