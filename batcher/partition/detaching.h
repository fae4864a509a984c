// And back: the partition takes the place of its parent, with the rows of the others.
#pragma once

#include <string>
#include <vector>

#include "batcher/partition/pair.h"
#include "batcher/rebuild/going_keys.h"
#include "engine/run/step_handler.h"

namespace pgalter::partition {

// A key as it was before, while it is built.
std::string BackName(const WidenedKey& key);

// The foreign keys that have gone with the conversion.
std::vector<rebuild::GoingKey> GoneKeys(const Spec& spec);

// In the transaction that holds the locks of the cut-over. Asks the lease, what hangs on the parent
// and old snapshots again. Throws run::Failure (refused), or pg::PgError for another attempt.
// Returns what is to be validated after it.
Task<Later> Detach(run::Environment& env, const Pair& pair, Later unsettled);

}  // namespace pgalter::partition
