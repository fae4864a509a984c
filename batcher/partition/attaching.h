// There: the partitioned table takes the place of the plain one, which becomes its first partition.
#pragma once

#include "batcher/partition/pair.h"
#include "engine/run/step_handler.h"

namespace pgalter::partition {

// In the transaction that holds the locks of the cut-over. Asks the lease, the shape and what hangs
// on the table again. Throws run::Failure (refused). Returns what is to be validated after it.
Task<Later> Attach(run::Environment& env, const Pair& pair);

// In an attempt's transaction, before its locks: what Attach asks is asked once before (see
// lock::AskAhead), and refused where Attach would refuse it.
Task<> RehearseAttach(run::Environment& env, const Pair& pair);

}  // namespace pgalter::partition
