// Placing: how many new partitions can take their place while users wait, so that a split into more
// of them goes in several exchanges, and one that could never end is refused before it copies.
// Pure.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

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

struct Placing {
  std::size_t pieces = 0;
  std::size_t others = 0;
  bool rest_stays = false;  // also at the end a partition has what no piece has: a default one
  async::Milliseconds budget{0};
};

// How many the next exchange places. Where not all fit, one more partition has what is left, and a
// quarter of the budget is kept for a slower machine, since more exchanges are at hand. 0: too few
// would fit.
inline std::size_t PlacedNext(const Placing& placing) {
  if (PlacingTakes(placing.pieces + (placing.rest_stays ? 1 : 0), placing.others) <= placing.budget)
    return placing.pieces;
  const std::size_t fit = PlacedWithin(placing.budget * 3 / 4, placing.others);
  return fit < 3 ? 0 : fit - 1;
}

// Of each exchange; empty: it would never end.
inline std::vector<std::size_t> Exchanges(Placing placing) {
  std::vector<std::size_t> each;
  while (placing.pieces > 0) {
    const std::size_t next = PlacedNext(placing);
    if (next == 0) return {};
    each.push_back(next);
    placing.pieces -= next;
    placing.others += next;
  }
  return each;
}

// How often the rows are copied, where all pieces have as many.
inline double TimesCopied(const std::vector<std::size_t>& exchanges) {
  std::size_t placed = 0;
  std::size_t copied = 0;
  std::size_t times = 0;
  for (const std::size_t each : exchanges) {
    placed += each;
    copied += each * ++times;
  }
  return placed == 0 ? 1 : static_cast<double>(copied) / static_cast<double>(placed);
}

}  // namespace pgalter::partition
