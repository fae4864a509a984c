// Period: how wide a range partition is, as users say it: "1 month", "2 weeks", "1000000". Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgalter::partition {

enum class Unit { kNumber, kHour, kDay, kWeek, kMonth, kQuarter, kYear };

struct Period {
  std::int64_t count = 1;  // of units; of kNumber: how many keys
  Unit unit = Unit::kMonth;

  bool operator==(const Period&) const = default;

  // Of months, quarters and years; 0 for the others, whose length in days is always the same.
  [[nodiscard]] int months() const;
  // "7 days": of hours, days and weeks, as an interval of the server.
  [[nodiscard]] std::string interval() const;
};

// nullopt: not understood, or nothing wider than zero. Units may be plural.
[[nodiscard]] std::optional<Period> ParsePeriod(std::string_view text);
[[nodiscard]] std::string ToString(const Period& period);

}  // namespace pgalter::partition
