// A copy takes hours, and a row may change every second of them: what the log says is folded into
// the dirty keys meanwhile, so that it is bounded by what changes between two looks and the keys by
// how many rows there are.
#pragma once

#include <optional>

#include "batcher/capture/flow.h"
#include "engine/run/step_handler.h"

namespace pgalter::copy {

class LogFolder {
 public:
  // When it is time: the logs of all tables of the run, which grow while another one is copied.
  // Partitions that came and went are left to the steps behind the copy.
  async::Task<> MayFold(run::Environment& env);

 private:
  async::Task<> Fold(run::Environment& env, const capture::Flow& flow);

  std::optional<guard::Session> session_;  // of its own: after a pause of hours the log is long
  async::Clock::time_point folded_ = async::Clock::now();
};

}  // namespace pgalter::copy
