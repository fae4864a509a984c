#include "cli/human.h"

#include <fmt/format.h>

#include <cmath>
#include <ctime>
#include <string_view>

#include "cli/human_rows.h"
#include "cli/room.h"

namespace pgalter::cli {

std::string HumanCount(std::int64_t count) {
  std::string digits = std::to_string(count);
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, ",");
  return digits;
}

namespace {

constexpr std::string_view kNotCounted = "not counted yet (ANALYZE does)";

}  // namespace

std::string AboutCount(double estimate, std::int64_t bytes) {
  if (!IsCounted(estimate, bytes)) return std::string(kNotCounted);
  return "about " + HumanCount(static_cast<std::int64_t>(estimate));
}

std::string AboutRows(double estimate, std::int64_t bytes) {
  if (!IsCounted(estimate, bytes)) return fmt::format("rows {}", kNotCounted);
  return "about " + HumanRows(static_cast<std::int64_t>(estimate));
}

std::string HumanSeconds(double seconds) {
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1000);
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
  if (seconds < 48 * 3600.0) return fmt::format("{:.1f} h", seconds / 3600);
  return fmt::format("{:.0f} d", seconds / 86400);
}

std::string HumanRange(double low_s, double high_s) {
  if (low_s < 0 || high_s < 0) return "unknown";
  const std::string low = HumanSeconds(low_s);
  const std::string high = HumanSeconds(high_s);
  return low == high ? low : fmt::format("{} to {}", low, high);
}

// Rounded down: what is shown as 100 % is all of it.
std::string HumanShare(double share) {
  return fmt::format("{:.1f} %", std::floor(share * 1000 + 1e-9) / 10);
}

std::string UtcNow() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, length};
}

}  // namespace pgalter::cli
