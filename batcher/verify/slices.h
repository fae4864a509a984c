// Slices: a table and its copy, cut side by side where the copy holds the rows in nearly the order
// of the table. Pure.
//
// A copy made block by block keeps the order on disk, but for what its sessions interleave and what
// changed later. So a few blocks of the table meet most of their rows in a few blocks of the copy,
// whatever the key is. Where the cuts are is a guess from samples; that each block of either table
// is in exactly one slice is not.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "batcher/backfill/window_set.h"
#include "engine/pg/params.h"

namespace pgalter::verify {

using backfill::Block;

struct Stretch {
  pg::Oid part = 0;
  Block first = 0;
  Block end = 0;  // exclusive

  [[nodiscard]] Block blocks() const { return end - first; }
  bool operator==(const Stretch&) const = default;
};

// Where a row of a granule was found in the copy.
struct Sample {
  std::size_t granule = 0;
  pg::Oid part = 0;
  Block block = 0;
};

struct Slice {
  std::vector<Stretch> from;  // none, or `to` has none: what is left of the other
  std::vector<Stretch> to;
};

// Parts as stretches from 0. Granules of so few blocks that a slice has many of them; of a large
// table of so many that there are some thousands, but never of more than 2 MiB.
std::vector<Stretch> CutIntoGranules(const std::vector<Stretch>& parts);
// They and their samples are kept in memory, about 300 bytes each: a table of 256 GiB has so many.
constexpr std::size_t kMostGranules = 131'072;

class Slices {
 public:
  // nullopt: rows that are neighbours in the table are not in the copy.
  static std::optional<Slices> Of(std::vector<Stretch> granules, std::vector<Stretch> to,
                                  const std::vector<Sample>& samples);

  // Of about so many blocks of the table. nullopt: all are taken.
  std::optional<Slice> Take(Block blocks);

 private:
  // The copy's parts as one line of blocks: one after the other, or, where each takes rows of all
  // granules, all at once, each as far as its share of the line.
  enum class Line { kInTurn, kAtOnce };
  struct Granule {
    Stretch blocks;
    Block at = 0;  // on the line
  };

  Slices(Line line, std::vector<Stretch> to);
  [[nodiscard]] Block At(const Sample& sample) const;
  double Arrange(const std::vector<Stretch>& granules, const std::vector<Sample>& samples);
  [[nodiscard]] std::vector<Stretch> Cut(Block& end) const;

  Line line_;
  std::vector<Stretch> to_;
  Block total_ = 0;
  Block longer_ = 1;               // by which the copy is, at least
  std::vector<Granule> granules_;  // in the order of the copy
  std::size_t next_ = 0;
  Block cut_ = 0;  // the line is taken up to here
};

}  // namespace pgalter::verify
