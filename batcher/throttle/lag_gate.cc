#include "batcher/throttle/lag_gate.h"

#include <fmt/format.h>

#include "engine/watch/signals.h"

namespace pgalter::throttle {

namespace {
constexpr std::string_view kLag = "replay-lag-seconds";
using Seconds = std::chrono::duration<double>;
}  // namespace

void LagGate::Note(const watch::Memory& memory, const watch::WatchOptions& options) {
  standbys_.clear();
  if (options.without.contains(kLag)) return;
  const auto given = options.limits.find(kLag);
  const double general =
      given == options.limits.end() ? watch::FindSignal(kLag)->default_limit : given->second;
  for (const auto& [name, track] : memory.tracks) {
    if (!track.fresh() || options.ignore_standbys.contains(name)) continue;
    const auto own = options.standby_limits.find(name);
    const double limit = own == options.standby_limits.end() ? general : own->second;
    if (limit > 0) standbys_.push_back({name, *track.fresh(), limit, track.delay});
  }
}

std::optional<std::string> LagGate::WhyShut(Time now) const {
  for (const Standby& standby : standbys_) {
    const double at_most = Seconds(now - standby.fresh).count() - standby.delay;
    if (at_most < standby.limit + Seconds(kSlack).count()) continue;
    return fmt::format("{} up to {} of {} (standby {}: nothing newer has been seen of it)", kLag,
                       watch::Format(at_most, watch::Unit::kSeconds),
                       watch::Format(standby.limit, watch::Unit::kSeconds), standby.name);
  }
  return std::nullopt;
}

}  // namespace pgalter::throttle
