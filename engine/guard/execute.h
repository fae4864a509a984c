// Statements without parameters or results, in one round trip.
#pragma once

#include <string>
#include <vector>

#include "engine/guard/role_settings.h"
#include "engine/guard/session.h"

namespace pgalter::guard {

// The first error is thrown; the statements behind it did not run.
Task<> Execute(Session& session, const std::vector<std::string>& statements);

// The same within a transaction, under the settings of users' code, which moving rows and attaching
// partitions calls: CHECKs, generated columns, and indexes over functions.
Task<> ExecuteUnder(Session& session, const Settings& settings,
                    const std::vector<std::string>& statements);

}  // namespace pgalter::guard
