// Whether a run goes on through a gate, or into the next phase: pure.
#pragma once

#include <optional>
#include <string>

#include "engine/state/control.h"

namespace pgalter::run {

struct GateFacts {
  bool passed = false;                             // somebody has named it
  state::Phase through = state::Phase::kContract;  // how far the run may go
  bool changed = false;                            // the plan's tables, since it was reached
  double soak_left_s = 0;                          // since then as well
  bool used = false;                               // what is taken away behind it, since then
  std::optional<bool> check;                       // what its query says; none: it has none
};

enum class Door {
  kOpen,
  kNotAskedFor,
  kChanged,  // whoever asks
  kTooEarly,
  kStillUsed,
  kCheckFails,  // whoever asks
};

// A gate that is named is passed before its soak time is over, and though what it guards was used:
// whoever names it has looked. To ask
// for the whole plan is not to look: it waits.
[[nodiscard]] Door DoorAt(const GateFacts& facts);

// Whether a step of that phase is beyond what was asked for.
[[nodiscard]] bool IsBeyond(std::string_view phase, state::Phase through);

}  // namespace pgalter::run
