// The ranges of a partitioned table as a picture as wide as a terminal: a line a partition, its
// place on a common scale; a line for each gap. Of more than 40, neighbours are one line. Pure.
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
  bool gap = false;     // there is no partition
};

struct Picture {
  std::vector<Bar> bars;  // in the order of their places
  std::string first;      // what stands below the scale's ends
  std::string last;
  std::optional<double> now;  // marked, where it lies on the scale
};

// At most `columns` wide, but never narrower than 40 nor wider than 200. Empty where there is no
// scale: fewer than two different ends.
std::string Draw(const Picture& picture, std::size_t columns);

}  // namespace pgalter::cli
