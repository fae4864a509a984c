#include "migrations/history/new_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace pgalter::history {

namespace {

constexpr std::size_t kTimestamp = 14;
constexpr std::size_t kLongestNumber = 7;  // longer ones are dates

std::string Stamp(std::time_t at) {
  std::tm parts{};
  gmtime_r(&at, &parts);
  return fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

bool IsNumber(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::int64_t Number(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::time_t TimeOf(std::string_view stamp) {
  const auto part = [&](std::size_t at, std::size_t size) {
    return static_cast<int>(Number(stamp.substr(at, size)));
  };
  std::tm parts{};
  parts.tm_year = part(0, 4) - 1900;
  parts.tm_mon = part(4, 2) - 1;
  parts.tm_mday = part(6, 2);
  parts.tm_hour = part(8, 2);
  parts.tm_min = part(10, 2);
  parts.tm_sec = part(12, 2);
  return timegm(&parts);
}

}  // namespace

std::string SlugOf(std::string_view title) {
  constexpr std::size_t kLongest = 80;
  std::string slug;
  for (const char c : title) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool word = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (word) {
      slug += upper ? static_cast<char>(c + 32) : c;
    } else if (!slug.empty() && slug.back() != '_') {
      slug += '_';
    }
    if (slug.size() == kLongest) break;
  }
  while (!slug.empty() && slug.back() == '_') slug.pop_back();
  return slug;
}

std::string NextVersion(const std::vector<Migration>& existing, std::time_t now) {
  std::string last;
  std::string number;
  for (const Migration& migration : existing) {
    if (!IsNumber(migration.version)) continue;
    if (migration.version.size() == kTimestamp) {
      last = std::max(last, migration.version);
    } else if (migration.version.size() <= kLongestNumber &&
               (number.empty() || Number(migration.version) >= Number(number))) {
      number = migration.version;
    }
  }
  if (last.empty() && !number.empty())
    return fmt::format("{:0{}}", Number(number) + 1, number.size());
  const std::string stamp = Stamp(now);
  return stamp > last ? stamp : Stamp(TimeOf(last) + 1);
}

}  // namespace pgalter::history
