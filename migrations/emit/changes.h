#pragma once

// From two schemas to the statements that make the first one the second, each with the one that
// takes it back. Pure. Their order is a first guess: whoever uses them tries them on a copy.

#include <string>
#include <vector>

#include "migrations/emit/objects.h"

namespace pgalter::emit {

enum class Effect {
  kMakes,
  kDrops,  // what is in the first schema alone
};

struct Change {
  Effect effect = Effect::kMakes;
  std::vector<std::string> up;    // statements without semicolons; none: goes with another one
  std::vector<std::string> down;  // empty: there is no way back
};

struct Changes {
  std::vector<Change> changes;
  std::vector<std::string> unsaid;  // what is other, and has no statement here; sentences
};

[[nodiscard]] Changes ChangesBetween(const std::vector<Object>& from,
                                     const std::vector<Object>& to);

}  // namespace pgalter::emit
