// The statements that compare the two tables of a flow, as text. Pure.
//
// Each sees both tables, log and dirty keys in one snapshot, and leaves out what log or dirty keys
// explain, where the flow has a run. Rows (how many in all of this kind, a key as text, whether it
// is one of `to` that `from` has not; else `to` has not the row, or not the same), up to ten of a
// kind.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "batcher/capture/flow.h"

namespace pgalter::capture {

// Columns of the key, by number, whose order is that of an index of either table: both can be gone
// through in ranges of them. No two rows of one of the two have the same values in them.
struct Walk {
  std::vector<std::size_t> columns;
  bool of_to = false;  // no two rows of `to`; else of `from`
};

enum class Ends { kBoth, kLower, kUpper, kNone };  // which ends a range has

// Rows of both tables whose keys are in [lower, upper). Parameters: the values of lower, then of
// upper, as far as there are.
std::string RangeStatement(const Flow& flow, const Walk& walk, Ends ends);
// The key $last rows behind lower in the table that has each key once, as texts; no row where the
// table ends before. Parameters: the values of lower, then how many rows.
std::string BoundaryStatement(const Flow& flow, const Walk& walk, bool has_lower);

// How a row's other half is found: by an index that `to` has, or as the planner likes.
enum class Lookup { kByIndex, kAsPlanned };

// Where there is no such order. Rows of `from`, in the places [$1, $2) of `part`, that are not the
// same in `to`; and rows of `to`, in these places of `part`, that `from` has not.
std::string MissingStatement(const Flow& flow, const std::string& part, Lookup lookup);
std::string SurplusStatement(const Flow& flow, const std::string& part);

}  // namespace pgalter::capture
