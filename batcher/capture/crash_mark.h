// Crash mark: whether PostgreSQL has emptied an UNLOGGED table of a flow.
//
// It does so when it recovers from a crash, and on a standby that is promoted; no trigger fires and
// nothing is logged (CREATE TABLE, "UNLOGGED"). What was copied before is not there any more then.
#pragma once

#include "batcher/capture/flow.h"

namespace pgalter::capture {

// Throws run::Failure (refused), with what to do, where either table of the flow was emptied: a
// swap would put an empty table in place, or bring back what the crash took.
Task<> RefuseEmptied(Session& session, const Flow& flow);

}  // namespace pgalter::capture
