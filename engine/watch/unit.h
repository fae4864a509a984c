// Units of signals: how a value is shown and how a limit is given ("64MB", "10s", "2.5").
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pgalter::watch {

enum class Unit { kSeconds, kMilliseconds, kBytes, kSegments, kSessions, kNumber };

// The unit's word for JSON and tables: "s", "ms", "bytes", "segments", "sessions", "".
std::string_view Name(Unit unit);

// For people: "12.3 s", "85 ms", "4.2 MB" (1024 each, as PostgreSQL counts), "3 sessions".
std::string Format(double value, Unit unit);

// A bare number is in the unit itself; otherwise PostgreSQL's suffixes of bytes and times.
// nullopt: not a number of 0 or more, or a suffix of something else.
std::optional<double> Parse(std::string_view text, Unit unit);

}  // namespace pgalter::watch
