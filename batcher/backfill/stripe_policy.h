// How many passes go over a window, and which rows each takes. Pure.
//
// A pass updates a part of each page; the next one's visit prunes the versions that it left dead,
// so new versions stay on their page (HOT) and the indexes are hardly written. That needs pages of
// several rows, no index on the column that is set, and an xmin horizon that moves.
#pragma once

namespace pgalter::backfill {

// Each row has one of so many positions, spread evenly over a page.
inline constexpr int kPositions = 64;
// Every pass reads the window once more; fewer passes, and more rows leave their page with the
// first of them (bench/results.md).
inline constexpr int kStripes = 12;
// Windows that one worker takes in turn: the snapshot of another worker holds the horizon for about
// as long as one chunk, which three other windows outlast.
inline constexpr int kInterleaved = 4;

struct TableShape {
  double rows_per_page = 0;
  bool target_indexed = false;
};

enum class Stripes { kUseful, kUselessIndexed, kUselessFewRows };

Stripes JudgeStripes(const TableShape& shape);

// Positions [first, end).
struct Stripe {
  int first = 0;
  int end = kPositions;
};

// The rows of one pass, from 0. A new version is a little longer than the old one, so each pass
// takes a little less than the one before: what that left free is enough then. `stripes` is 1 to
// kPositions; together the passes take every position once.
Stripe StripeOf(int stripes, int pass, const TableShape& shape);

// Of a page's rows, by any pass.
double LargestShare(int stripes, const TableShape& shape);

// HOT share seen so far under stripes: below this they do not pay.
inline constexpr double kLeastHotShare = 0.2;

}  // namespace pgalter::backfill
