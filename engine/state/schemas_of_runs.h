// Schemas that runs have made for themselves and not dropped yet: whoever looks at a user's schema
// leaves them out.
#pragma once

#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::state {

using async::Task;
using guard::Session;

// By the ledger of artefacts: a user's schema may be called like one of ours. A role that may not
// read the ledger goes by the names; none where schema pgalter is not there.
Task<std::vector<std::string>> SchemasOfRuns(Session& session);

}  // namespace pgalter::state
