// How many passes go over a window. Pure.
//
// A pass updates a k-th of each page; the next one's visit prunes the versions that it left dead,
// so new versions stay on their page (HOT) and the indexes are hardly written. That needs pages of
// several rows, no index on the column that is set, and an xmin horizon that moves.
#pragma once

namespace pgalter::backfill {

// Fewer, and every leaf page of a btree splits: each pass adds 1/k of the keys, and a leaf has
// about 10 % of room.
inline constexpr int kStripes = 16;
// Windows that one worker takes in turn: the snapshot of another worker holds the horizon for about
// as long as one chunk, which three other windows outlast.
inline constexpr int kInterleaved = 4;

struct TableShape {
  double rows_per_page = 0;
  bool target_indexed = false;
};

enum class Stripes { kUseful, kUselessIndexed, kUselessFewRows };

Stripes JudgeStripes(const TableShape& shape);

// HOT share seen so far under stripes: below this they do not pay.
inline constexpr double kLeastHotShare = 0.2;

}  // namespace pgalter::backfill
