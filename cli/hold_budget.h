// --hold-budget, as the commands that put tables in place of others have it.
#pragma once

#include "cli/context.h"
#include "engine/guard/session.h"

namespace pgalter::cli {

// Throws Rejected: it is no duration.
async::Milliseconds HoldBudgetOf(const Context& context);

// Where it was given: from now on the run has it.
guard::Task<> RaiseHoldBudget(const Context& context, guard::Session& session, std::string run);

}  // namespace pgalter::cli
