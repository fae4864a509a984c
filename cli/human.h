// Numbers for people.
#pragma once

#include <cstdint>
#include <string>

namespace pgalter::cli {

std::string HumanCount(std::int64_t count);  // "1,234,567"
// "about 1,234 rows"; of a table that was never analysed, though it has some, nobody knows.
std::string AboutRows(double estimate, std::int64_t bytes);
std::string AboutCount(double estimate, std::int64_t bytes);  // the same without "rows"
std::string HumanSeconds(double seconds);             // "850 ms", "12 s", "3 min", "2.5 h", "4 d"
std::string HumanRange(double low_s, double high_s);  // "40 s to 60 s", or one of them; "unknown"
std::string HumanShare(double share);                 // "42.1 %"

std::string UtcNow();  // ISO 8601, seconds

}  // namespace pgalter::cli
