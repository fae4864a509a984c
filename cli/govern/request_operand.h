// The request that a command is about, by its number.
#pragma once

#include "cli/context.h"
#include "engine/guard/session.h"
#include "migrations/history/policy.h"

namespace pgalter::cli {

// Throws Rejected (usage): no number, or no such request.
Task<history::Request> LoadRequest(const Context& context, guard::Session& session);

}  // namespace pgalter::cli
