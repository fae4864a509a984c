// Placing: how many new partitions can take their place while users wait, so that a split which
// could never end is refused before it copies. Pure.
#pragma once

#include <cmath>
#include <cstddef>

#include "engine/async/deadline.h"

namespace pgalter::partition {

// Of one partition that is detached from where it was filled and attached to a table with so many
// others: PostgreSQL reads the bounds of all of them anew each time. Measured on a machine in use
// (version 15, three indexes, a foreign key, a trigger): 25 took 40 ms, 100 took 240 ms, 398 took
// 2.6 s, of which ATTACH 1.4 s and DETACH 0.6 s; the rows in them do not matter.
inline constexpr double kPlacing = 1.5;          // ms
inline constexpr double kPlacingBeside = 0.025;  // ms, for each other

inline async::Milliseconds PlacingTakes(std::size_t pieces, std::size_t others) {
  const auto n = static_cast<double>(pieces);
  const double beside = n * n / 2 + n * static_cast<double>(others);
  return async::Milliseconds(std::llround(kPlacing * n + kPlacingBeside * beside));
}

// At least one.
inline std::size_t PlacedWithin(async::Milliseconds budget, std::size_t others) {
  std::size_t pieces = 1;
  while (PlacingTakes(pieces + 1, others) <= budget) ++pieces;
  return pieces;
}

}  // namespace pgalter::partition
