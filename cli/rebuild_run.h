// The run of a rebuild, alone or as a step of a plan, that has not swapped its tables yet.
#pragma once

#include <string>

#include "cli/command.h"
#include "engine/guard/session.h"
#include "engine/state/runs.h"

namespace pgalter::cli {

// Throws Rejected for a run that has no cut-over before it.
Task<> RefuseWithoutCutover(guard::Session& session, state::Run run);

// The run that the operand names, or the only active one. Throws Rejected for one that has no
// cut-over before it.
Task<state::Run> LoadBeforeCutover(const Context& context, guard::Session& session);

// Says where nobody runs it.
Task<> SayIfNobodyRuns(const Context& context, guard::Session& session, std::string run);

}  // namespace pgalter::cli
