// Sessions of a command. Reading goes everywhere; changing needs a server that we are tested on.
#pragma once

#include "cli/context.h"
#include "engine/guard/session.h"

namespace pgalter::cli {

Task<guard::Session> OpenSession(const Context& context);

// Throws Failure (unsupported) below PostgreSQL 14 and above 18.
Task<guard::Session> OpenForChange(const Context& context);

// The user's `orders` is found where the user's own statements find it.
Task<> UseOwnSearchPath(guard::Session& session);

// For tests: 150004 -> nothing; 130010 -> what is wrong with it.
std::string WhyNotSupported(int server_version);

}  // namespace pgalter::cli
