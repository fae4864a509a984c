// Which run a command means: by its id, by a prefix that is unique, or the one that is active.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "engine/state/runs.h"

namespace pgalter::cli {

// `wanted` empty: left out. Throws Rejected (usage), naming what there is. Pure.
state::Run PickRun(const std::vector<state::Run>& runs, const std::string& wanted);

// All runs, newest first; none where schema pgalter was never installed.
Task<std::vector<state::Run>> LoadRuns(guard::Session& session);

// PickRun by the command's first operand.
Task<state::Run> LoadRun(const Context& context, guard::Session& session);

}  // namespace pgalter::cli
