// Places: a table and its copy side by side, slice after slice of their blocks.
//
// A row that users move meanwhile into blocks that are compared already is in the log, as any row
// that they change. What moves rows and is in no log is a rewrite: it gives a part another file,
// which is looked at with each slice and in the end, and everything begins anew.
#pragma once

#include <optional>
#include <vector>

#include "batcher/capture/parts.h"
#include "batcher/verify/comparison.h"
#include "batcher/verify/slices.h"

namespace pgalter::verify {

struct Layout {
  std::vector<capture::Part> from;
  std::vector<capture::Part> to;
  Slices slices;
  double rows_per_block = 1;  // of the table
  double rows = 0;
};

// nullopt: the copy's order is another. Both must have an index to look up a row by.
Task<std::optional<Layout>> ReadLayout(Comparison& comparison, Session& session);

Task<> CompareByPlaces(Comparison& comparison, std::vector<Session>& sessions, Layout layout);

}  // namespace pgalter::verify
