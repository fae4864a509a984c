#include "engine/watch/lock_waits.h"
#include "engine/watch/signals.h"

namespace pgalter::watch {

namespace {

Task<Observation> Read(SignalContext& context) {
  const LockWaits waits = co_await ReadLockWaits(context);
  co_return Observation::Measured(waits.blocked);
}

}  // namespace

constinit const Signal kBlockedSessions{.id = "blocked-sessions",
                                        .summary = "sessions of this database that wait for a lock",
                                        .unit = Unit::kSessions,
                                        .default_limit = 10,
                                        .read = &Read};

}  // namespace pgalter::watch
