#include <fmt/format.h>

#include "engine/watch/lock_waits.h"
#include "engine/watch/signals.h"

namespace pgalter::watch {

namespace {

Task<Observation> Read(SignalContext& context) {
  const LockWaits waits = co_await ReadLockWaits(context);
  if (waits.for_us == 0) co_return Observation::Measured(0);
  co_return Observation::Measured(waits.longest_for_us,
                                  fmt::format("{} session{} for a lock of this run", waits.for_us,
                                              waits.for_us == 1 ? " waits" : "s wait"));
}

}  // namespace

constinit const Signal kWaitingForUs{.id = "waiting-for-us",
                                     .summary = "longest wait of a session for a lock of this run",
                                     .unit = Unit::kMilliseconds,
                                     .default_limit = 500,
                                     .read = &Read};

}  // namespace pgalter::watch
