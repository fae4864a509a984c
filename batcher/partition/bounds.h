// Bounds of range partitions. The server does the reckoning with calendars, in one time zone that
// is said; what comes out are literals that mean the same in every session.
#pragma once

#include <string>
#include <vector>

#include "batcher/partition/period.h"
#include "engine/guard/session.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

// Kept with runs as a number: new ones at the end.
enum class KeyType {
  kDate,
  kTimestamp,
  kTimestamptz,
  kInteger,
  kUuid,  // of version 7
  kEpochSeconds,
  kEpochMilliseconds
};

// As SQL: by which values of the column are read, and ends of ranges are ordered. Pure.
const char* TypeName(KeyType type);

// The column that rows are parted by.
struct KeyColumn {
  std::string name;  // not quoted
  KeyType type = KeyType::kTimestamptz;
};

struct Range {
  std::string name;  // what tells it from the others: "2026_11"
  std::string from;  // SQL literals
  std::string to;
};

// Where to begin: at the range that holds this, which is the newest of the rows and of the clock
// (for numbers the newest row), and what is put on top of it.
struct Edge {
  std::string newest;  // as text of the column's type; empty: no rows
  std::string margin;  // an interval, or a number
};

// The newest value in the table; empty: it has no rows. Uses an index where there is one. Throws
// run::Failure: it is infinity.
Task<std::string> NewestKey(Session& session, std::string table, KeyColumn column);

// `count` ranges from the first bound that is not below newest + margin; fewer where clocks leave
// out an hour. Throws run::Failure: beyond the type's end.
Task<std::vector<Range>> RangesFrom(Session& session, KeyColumn column, Period period,
                                    std::string time_zone, Edge edge, int count);

// Ranges that hold all rows, from the one with `oldest` (text of the column's type; empty: the
// clock, or 0) to the one with the newest row and the clock, and `more` after it (at least one).
// Throws run::Failure: more than kMostRanges.
inline constexpr int kMostRanges = 1000;
Task<std::vector<Range>> RangesOver(Session& session, KeyColumn column, Period period,
                                    std::string time_zone, std::string oldest, std::string newest,
                                    int more);

// `count` ranges from the one that holds `at` (text of the column's type), without a look at the
// clock.
Task<std::vector<Range>> RangesAround(Session& session, KeyColumn column, Period period,
                                      std::string time_zone, std::string at, int count);

// What follows the bound `last` (text of the column's type), until so many ranges lie beyond the
// newest row and the clock; none where they are there already.
struct Following {
  std::string until;  // a literal: `last`
  std::vector<Range> ranges;
};
Task<Following> RangesAfter(Session& session, KeyColumn column, Period period,
                            std::string time_zone, std::string last, std::string newest, int ahead);

// The least value in the table; empty: it has no rows. Throws run::Failure: it is -infinity.
Task<std::string> OldestKey(Session& session, std::string table, KeyColumn column);

}  // namespace pgalter::partition
