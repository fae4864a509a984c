#include "batcher/partition/period.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace pgalter::partition {

namespace {

struct Named {
  std::string_view name;
  Unit unit;
};
constexpr std::array kUnits{Named{"hour", Unit::kHour},       Named{"day", Unit::kDay},
                            Named{"week", Unit::kWeek},       Named{"month", Unit::kMonth},
                            Named{"quarter", Unit::kQuarter}, Named{"year", Unit::kYear}};

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string_view NameOf(Unit unit) {
  for (const Named& named : kUnits)
    if (named.unit == unit) return named.name;
  return "";
}

}  // namespace

int Period::months() const {
  const auto times = static_cast<int>(count);
  switch (unit) {
    case Unit::kMonth:
      return times;
    case Unit::kQuarter:
      return 3 * times;
    case Unit::kYear:
      return 12 * times;
    default:
      return 0;
  }
}

std::string Period::interval() const {
  if (unit == Unit::kHour) return fmt::format("{} hours", count);
  return fmt::format("{} days", unit == Unit::kWeek ? 7 * count : count);
}

std::optional<Period> ParsePeriod(std::string_view text) {
  constexpr std::int64_t kMost = 10'000;  // of a unit of time
  text = Trimmed(text);
  Period period;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, period.count);
  const bool counted = error == std::errc();
  if (!counted) period.count = 1;
  if (counted) text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  text = Trimmed(text);
  if (period.count <= 0) return std::nullopt;
  if (text.empty()) {
    if (!counted) return std::nullopt;
    period.unit = Unit::kNumber;
    return period;
  }
  if (text.back() == 's') text.remove_suffix(1);
  for (const Named& named : kUnits) {
    if (named.name != text || period.count > kMost) continue;
    period.unit = named.unit;
    return period;
  }
  return std::nullopt;
}

std::string ToString(const Period& period) {
  if (period.unit == Unit::kNumber) return std::to_string(period.count);
  return fmt::format("{} {}{}", period.count, NameOf(period.unit), period.count == 1 ? "" : "s");
}

}  // namespace pgalter::partition
