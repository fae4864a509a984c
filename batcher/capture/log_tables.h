// Log tables of a flow: where they lie.
#pragma once

#include "batcher/capture/flow.h"
#include "engine/guard/session.h"

namespace pgalter::capture {

using async::Task;
using guard::Session;

// MakeTables (flow_sql.h) in the tablespace of `from`, where the role may make tables there: who
// writes rows of a table that has room is not to fail for want of it elsewhere. In the caller's
// transaction.
Task<> MakeLogTables(Session& session, const Flow& flow);

}  // namespace pgalter::capture
