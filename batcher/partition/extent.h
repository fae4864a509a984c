// Extent: which ranges are made for rows that are copied into them: from the oldest row on up to
// some beyond the newest row and the clock, unless the user says where they begin or end. Reads
// only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/backfill/target.h"
#include "batcher/partition/bounds.h"
#include "batcher/partition/period.h"

namespace pgalter::partition {

struct Extent {
  // Values of the column, or times where its values stand for such; of the ranges that hold them.
  std::optional<std::string> from;
  std::optional<std::string> to;  // not held itself
  std::string time_zone = "UTC";
  int more = 0;              // beyond the newest row and the clock, where there is no `to`
  bool with_default = true;  // a partition for the rows before and behind
};

struct RangedRows {
  std::vector<Range> ranges;
  std::vector<std::string> remarks;  // rows that the default partition gets
};

// Throws run::Failure: (usage) no such value, nothing between the two, too many ranges; (refused)
// rows that would have no place.
Task<RangedRows> RangesOfRows(Session& session, const backfill::Table& table, KeyColumn column,
                              Period period, Extent extent);

}  // namespace pgalter::partition
