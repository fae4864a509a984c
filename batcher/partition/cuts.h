// Cuts: ranges between points that the user names, for columns whose ranges no period counts, such
// as text, or that are to have unequal widths. Reads only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/partition/given.h"
#include "batcher/partition/whole.h"

namespace pgalter::partition {

struct Cuts {
  Givens at;  // in any order; where one range ends and the next begins
  // Where the first begins and the last ends; nullopt: MINVALUE, MAXVALUE.
  std::optional<Given> from;
  std::optional<Given> to;
  std::string time_zone = "UTC";  // of times without one
};

struct CutRange {
  std::string end;    // of the partition's name: "_until_g", "_pg"; no two are the same
  std::string bound;  // "FOR VALUES FROM (MINVALUE) TO ('g')"
};

struct CutRanges {
  std::vector<CutRange> ranges;  // in the order of the column
  std::string inside;            // the rows that one of them holds, as a condition
};

// Sorted and compared by the server, in the column's own collation. The session's time zone stays.
// Throws run::Failure (usage): no such column, a type without an order, no value of it, two points
// that are the same, one that is not between `from` and `to`, too many.
Task<CutRanges> RangesOfCuts(Session& session, const backfill::Table& table, std::string column,
                             Cuts cuts);

}  // namespace pgalter::partition
