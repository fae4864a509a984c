// Whether what captures a table is there.
#pragma once

#include "batcher/capture/flow.h"

namespace pgalter::capture {

// Both triggers of the flow, on and for every session, on `from` and that of the rows on each of
// its parts.
Task<bool> AreTriggersWhole(Session& session, const Flow& flow);

}  // namespace pgalter::capture
