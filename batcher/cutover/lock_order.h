// In which order the tables of a swap are locked. Pure.
#pragma once

#include <string>
#include <vector>

#include "batcher/cutover/carry_over.h"

namespace pgalter::cutover {

// A table that changes places, by its name of now, with the one that comes; quoted.
struct Pairing {
  std::string leaving;
  std::string coming;
  Joined joined;
};

// Each once: referenced tables before those that refer to them. Where keys go in a circle, in the
// order in which they are given, so that two runs never take them in different ones.
std::vector<std::string> LockOrder(const std::vector<Pairing>& pairings);

}  // namespace pgalter::cutover
