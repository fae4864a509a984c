// The heartbeat's row: which session stands for the holder of a run's lease.
#pragma once

#include "engine/guard/lease.h"

namespace pgalter::state {

// From now on `session` does: while it is connected, the holder lives (LiveRunner).
async::Task<> ShowHolder(guard::Session& session, const guard::Lease& lease);

}  // namespace pgalter::state
