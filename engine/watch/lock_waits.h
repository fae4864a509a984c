// Who waits for a lock: for one of this run, and for anybody's. One statement for both signals,
// since they are read more often than any other.
#pragma once

#include <cstdint>

#include "engine/watch/signal.h"

namespace pgalter::watch {

struct LockWaits {
  std::int64_t for_us = 0;    // sessions
  double longest_for_us = 0;  // milliseconds
  double blocked = 0;         // sessions of this database, whoever holds the lock
  std::int64_t ours = 0;      // sessions of this run that wait
};

Task<LockWaits> ReadLockWaits(SignalContext& context);

}  // namespace pgalter::watch
