#include "engine/run/gate_policy.h"

namespace pgalter::run {

Door DoorAt(const GateFacts& facts) {
  if (!facts.passed && facts.through != state::Phase::kContract) return Door::kNotAskedFor;
  if (facts.changed) return Door::kChanged;
  if (!facts.passed && facts.soak_left_s > 0) return Door::kTooEarly;
  if (!facts.passed && facts.used) return Door::kStillUsed;
  if (!facts.check.value_or(true)) return Door::kCheckFails;
  return Door::kOpen;
}

bool IsBeyond(std::string_view phase, state::Phase through) {
  const auto known = state::ParsePhase(phase);
  return known && *known > through;
}

}  // namespace pgalter::run
