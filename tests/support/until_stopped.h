// What a throttle says of a stop.
#pragma once

#include <string>
#include <string_view>

#include "batcher/throttle/throttle.h"
#include "tests/support/run_task.h"

namespace pgalter::test {

// Also where this process stood still for longer than the grace, which stops it, too, at first.
inline Task<> UntilStoppedBy(throttle::Throttle& throttle, std::string_view reason) {
  co_await Until(
      [&] { return throttle.ratio() == 0 && throttle.reason().find(reason) != std::string::npos; });
}

}  // namespace pgalter::test
