// Monitor: once a second it turns what the crew has done into the figures that people see, and
// what people ask for (pgalter throttle) into the crew's settings.
#pragma once

#include "batcher/backfill/crew.h"

namespace pgalter::backfill {

// Until cancelled.
Task<> RunMonitor(Crew& crew);

}  // namespace pgalter::backfill
