#include "engine/run/canary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "engine/async/fail_point.h"
#include "engine/run/gate_step.h"

namespace pgalter::run {

double CanaryOf(const state::Run& run) {
  const auto* throttle = run.spec.if_contains("throttle");
  if (throttle == nullptr || !throttle->is_object()) return 0;
  const auto* share = throttle->get_object().if_contains(kCanaryKey);
  if (share == nullptr || !share->is_string()) return 0;
  return std::strtod(share->get_string().c_str(), nullptr);
}

bool InCanary(const state::Run& run, const state::Control& control) {
  return CanaryOf(run) > 0 && std::find(control.passed.begin(), control.passed.end(),
                                        kCanaryGate) == control.passed.end();
}

std::int64_t CanaryBlocks(double share, std::int64_t total) {
  const auto blocks = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(total)));
  return std::max<std::int64_t>(blocks, 1);
}

void RestAtCanary(const Environment& env) {
  async::FailPoint("at-canary");
  throw GateClosed(
      kCanaryGate,
      fmt::format("gate {}: {:.3g} % of the table was the first part, {} rows of it are done; look "
                  "at them and at the load. To go on: pgalter resume {} --gate {}",
                  kCanaryGate, CanaryOf(env.run) * 100, env.progress.done_rows, env.run.id,
                  kCanaryGate));
}

}  // namespace pgalter::run
