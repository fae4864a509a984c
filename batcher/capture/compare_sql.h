// The statements that compare the two tables of a flow, as text. Pure.
//
// Each sees both tables, log and dirty keys in one snapshot, and leaves out what log or dirty keys
// explain, where the flow has a run. Rows (how many in all of this kind, a key as text, whether it
// is one of `to` that `from` has not; else `to` has not the row, or not the same), up to ten of a
// kind.
#pragma once

#include <cstddef>
#include <cstdint>
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
// table, or the range, ends before. Parameters: the values of lower, then of upper, as far as there
// are, then how many rows.
std::string BoundaryStatement(const Flow& flow, const Walk& walk, Ends ends);
// Of the same table, keys of a share of its blocks, from lower on: one of so many, in order, as
// texts. Parameters: the values of lower, the share in percent, then of how many rows one.
std::string SampleStatement(const Flow& flow, const Walk& walk, bool has_lower);

// How a row's other half is found: by an index that `to` has, or as the planner likes.
enum class Lookup { kByIndex, kAsPlanned };

// Where there is no such order. Rows of `from`, in the places [$1, $2) of `part`, that are not the
// same in `to`; and rows of `to`, in these places of `part`, that `from` has not.
std::string MissingStatement(const Flow& flow, const std::string& part, Lookup lookup);
std::string SurplusStatement(const Flow& flow, const std::string& part);

// Where both hold their rows in nearly the same order: rows in some places of either, whatever key
// they have. One without its other half there looks it up by an index, wherever it is. Parameters:
// none, the places are in the text.
constexpr std::int64_t kToTheEnd = std::int64_t{1} << 32;  // more blocks than a table can have
struct Extent {
  std::string part;  // quoted, with its schema
  std::int64_t first = 0;
  std::int64_t end = 0;  // blocks, exclusive
};
std::string SliceStatement(const Flow& flow, const std::vector<Extent>& from,
                           const std::vector<Extent>& to);

// Where whole parts of the one can have their rows in whole parts of the other alone: nothing is
// looked up. Parameters: none.
std::string WholePartsStatement(const Flow& flow, const std::vector<std::string>& from,
                                const std::vector<std::string>& to);

// Rows of `parts`, which hold rows of `from`, the first at the places $1 (text[], of tids), the
// second at $2, and where `to` has them: number of the part from 0 and block here, part (oid) and
// block there.
std::string WhereStatement(const Flow& flow, const std::vector<std::string>& parts);

}  // namespace pgalter::capture
