// Reading: what one signal said at one moment, next to its limit.
#pragma once

#include <string>

#include "engine/watch/unit.h"

namespace pgalter::watch {

enum class Seen {
  kMeasured,
  kAbsent,        // nothing to measure here: no standby, archiving off
  kUnreadable,    // not now; fails closed after a grace
  kMissingRight,  // not until somebody grants it
};

enum class Effect {
  kPaces,   // more of it means slower
  kBudget,  // only ever grows: no effect until it is spent, then everything stops
};

struct Reading {
  std::string signal;
  Unit unit = Unit::kNumber;
  Effect effect = Effect::kPaces;
  Seen seen = Seen::kAbsent;
  double value = 0;
  double limit = 0;  // 0: none, shown only
  std::string text;  // which standby, which session; or why there is no value

  bool readable() const { return seen == Seen::kMeasured || seen == Seen::kAbsent; }
  double utilisation() const;  // value / limit; 0 where nothing was measured
};

// "replay-lag-seconds 12.3 s of 10.0 s (standby_1)"
std::string Describe(const Reading& reading);

}  // namespace pgalter::watch
