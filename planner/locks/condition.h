#pragma once

// Whether a CHECK keeps a column out of a range or a list, told from its text. Private to
// planner/locks.

#include <string>
#include <string_view>
#include <vector>

namespace pgalter::locks {

// The values of a column from `from` on and below `to`; "" has no end there. Or those listed.
struct Range {
  std::string column;
  std::string from;
  std::string to;
  std::vector<std::string> values;  // as literals; empty: a range
};

// Integers by their value, days as they are written, else only what is written alike.
[[nodiscard]] bool AtLeast(const std::string& value, const std::string& limit);

// No row for which the condition holds has the column in the range. Understands AND, OR, NOT,
// IS [NOT] NULL, [NOT] IN and comparisons with literals; what it does not understand keeps nothing
// out.
[[nodiscard]] bool KeepsOut(std::string_view condition, const Range& range);

// Every row for which the condition holds has a value of the list there, or NULL.
[[nodiscard]] bool StaysWithin(std::string_view condition, const Range& range);

}  // namespace pgalter::locks
