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
  kEpochMilliseconds,
  kNumeric
};

// As SQL: by which values of the column are read, and ends of ranges are ordered. Pure.
const char* TypeName(KeyType type);

// Whether there is an infinity among its values; of a numeric NaN counts as one. Pure.
bool HasInfinity(KeyType type);
// Whether ranges are so many of its numbers, and no time. Pure.
bool IsCounted(KeyType type);

// The column that rows are parted by.
struct KeyColumn {
  std::string name;  // not quoted
  KeyType type = KeyType::kTimestamptz;
};

struct Range {
  std::string name;  // what tells it from the others: "2026_11"
  std::string from;  // SQL literals
  std::string to;
  std::string exact = {};  // as `name`, with the time of day: where another is called by that
};

// Of one of its literals: the value as text. Pure.
std::string TextOf(const std::string& literal);

// Where to begin: at the range that holds this, which is the newest of the rows and of the clock
// (for numbers the newest row), and what is put on top of it.
struct Edge {
  std::string newest;  // as text of the column's type; empty: no rows
  std::string margin;  // an interval, or a number
};

// Rows of infinity, whose place is in no range with bounds.
enum class Infinite { kRefused, kLeftOut };

// The newest value in the table; empty: it has no such rows. Uses an index where there is one.
// Throws run::Failure: it is infinity, and that is not left out.
Task<std::string> NewestKey(Session& session, std::string table, KeyColumn column,
                            Infinite infinite = Infinite::kRefused);

// Which infinities there are among its rows, as text. Uses an index where there is one.
Task<std::vector<std::string>> InfiniteKeys(Session& session, std::string table, KeyColumn column);

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

// The newest value below a bound (text of the column's type); empty: none.
Task<std::string> NewestKeyBelow(Session& session, std::string table, KeyColumn column,
                                 std::string bound);
// The newest value, where it is not below a bound, infinity too; empty: it is.
Task<std::string> NewestKeyFrom(Session& session, std::string table, KeyColumn column,
                                std::string bound);

// The bound of the calendar that is so many ranges before the one that holds `at`, as text.
Task<std::string> BoundBefore(Session& session, KeyColumn column, Period period,
                              std::string time_zone, std::string at, int steps);

// How ranges follow one another, in texts of the column's type.
struct Onward {
  std::string last;    // the bound that they go on from
  std::string newest;  // of the rows; empty: none
  std::string stop;    // no range goes beyond; empty: none does
  int ahead = 1;       // so many beyond the newest row and the clock
};
struct Following {
  std::string until;  // a literal: `last`
  std::vector<Range> ranges;
  bool stopped = false;  // more were due beyond `stop`
  bool many = false;     // more than kMostRanges are due
};
Task<Following> RangesAfter(Session& session, KeyColumn column, Period period,
                            std::string time_zone, Onward onward);

// The least value in the table but the infinite ones; empty: it has no such rows.
Task<std::string> OldestKey(Session& session, std::string table, KeyColumn column);

}  // namespace pgalter::partition
