// Statements without parameters or results, in one round trip.
#pragma once

#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::guard {

// The first error is thrown; the statements behind it did not run.
Task<> Execute(Session& session, const std::vector<std::string>& statements);

}  // namespace pgalter::guard
