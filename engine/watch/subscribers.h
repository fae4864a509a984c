// Subscribers of logical replication, by the slots of this database: how far behind what they have
// confirmed is.
#pragma once

#include "engine/watch/signal.h"

namespace pgalter::watch {

enum class LagMeasure { kSeconds, kBytes };

// Slots that nobody has used since the run came are left to slot-retention-bytes; one that was in
// use and is not any more is unreadable, until it is dropped, ignored, or back. A slot's name may
// stand in ignore_standbys and standby_limits.
Task<Observation> ReadSubscribers(SignalContext& context, LagMeasure measure);

}  // namespace pgalter::watch
