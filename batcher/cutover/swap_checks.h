// What must be true in the transaction of a swap, under its lock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batcher/capture/flow.h"

namespace pgalter::cutover {

using async::Task;
using guard::Session;

// The log is whole, and says all. Throws run::Failure (refused): the capture was dropped or
// disabled, or a crash has emptied a table behind its back.
Task<> CheckCapture(Session& session, const capture::Flow& flow, const std::string& run);

// What `verify` has found since the run compared its tables itself. Throws run::Failure.
Task<> RefuseFoundDifferent(Session& session, const capture::Flow& flow, const std::string& run);

// Nothing in `schema` has the name of what the swap moves there with `coming` (its partitions,
// their indexes and sequences), but what leaves with one of `leaving`. Throws run::Failure
// (refused); its text ends in `again`, the command to give then.
Task<> RefuseTakenNames(Session& session, const std::string& schema, pg::Oid coming,
                        std::vector<std::int64_t> leaving, const std::string& again);

}  // namespace pgalter::cutover
