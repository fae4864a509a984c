// Outside: what the machine of a runner adds to a run, beyond the database: probes of its own that
// count as signals, and somebody who is asked before a step begins. Engine declares the port, cli
// implements it. Nothing of it is kept with the run: who goes on elsewhere brings his own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/async/task.h"
#include "engine/watch/reading.h"

namespace pgalter::run {

class Outside {
 public:
  Outside() = default;
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;
  virtual ~Outside() = default;

  // As last read; never waits.
  [[nodiscard]] virtual std::vector<watch::Reading> Readings() const = 0;
  // Why it may not begin now; nullopt: it may. `event` is "before-step" or "before-cutover", `what`
  // the step's id. Whoever is refused asks again later.
  virtual async::Task<std::optional<std::string>> WhyNot(std::string event, std::string what) = 0;
};

}  // namespace pgalter::run
