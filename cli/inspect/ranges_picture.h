// The ranges of a partitioned table as a picture for terminals: a line a partition, its place on a
// common scale, gaps left blank. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace pgalter::cli {

struct Bar {
  std::string name;
  std::optional<double> begin;  // nullopt: endless
  std::optional<double> end;
  bool filled = false;  // it has rows
};

struct Picture {
  std::vector<Bar> bars;  // in the order of their places
  std::string first;      // what stands below the scale's ends
  std::string last;
  std::optional<double> now;  // marked, where it lies on the scale
};

// Empty where there is no scale: fewer than two different ends.
std::string Draw(const Picture& picture);

}  // namespace pgalter::cli
