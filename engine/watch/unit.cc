#include "engine/watch/unit.h"

#include <fmt/format.h>

#include <array>
#include <boost/range/adaptor/reversed.hpp>
#include <cmath>
#include <cstdlib>

namespace pgalter::watch {

namespace {

struct Suffix {
  std::string_view text;
  double factor;
};

constexpr double kKilo = 1024;
constexpr std::array kBytes{Suffix{"B", 1}, Suffix{"kB", kKilo}, Suffix{"MB", kKilo* kKilo},
                            Suffix{"GB", kKilo* kKilo* kKilo},
                            Suffix{"TB", kKilo* kKilo* kKilo* kKilo}};
constexpr std::array kSeconds{Suffix{"ms", 0.001}, Suffix{"s", 1}, Suffix{"min", 60},
                              Suffix{"h", 3600}, Suffix{"d", 86400}};

bool SameLetters(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if ((a[i] | 0x20) != (b[i] | 0x20)) return false;
  return true;
}

template <std::size_t N>
std::optional<double> FactorOf(std::string_view suffix, const std::array<Suffix, N>& known) {
  for (const Suffix& candidate : known)
    if (SameLetters(candidate.text, suffix)) return candidate.factor;
  return std::nullopt;
}

std::optional<double> FactorOf(std::string_view suffix, Unit unit) {
  if (suffix.empty()) return 1;
  if (unit == Unit::kBytes) return FactorOf(suffix, kBytes);
  if (unit == Unit::kSeconds) return FactorOf(suffix, kSeconds);
  if (unit != Unit::kMilliseconds) return std::nullopt;
  const auto seconds = FactorOf(suffix, kSeconds);
  if (!seconds) return std::nullopt;
  return *seconds * 1000;
}

std::string FormatBytes(double value) {
  for (const auto& unit : boost::adaptors::reverse(kBytes))
    if (value >= unit.factor && unit.factor > 1)
      return fmt::format("{:.1f} {}", value / unit.factor, unit.text);
  return fmt::format("{:.0f} B", value);
}

}  // namespace

std::string_view Name(Unit unit) {
  switch (unit) {
    case Unit::kSeconds:
      return "s";
    case Unit::kMilliseconds:
      return "ms";
    case Unit::kBytes:
      return "bytes";
    case Unit::kSegments:
      return "segments";
    case Unit::kSessions:
      return "sessions";
    case Unit::kNumber:
      break;
  }
  return "";
}

std::string Format(double value, Unit unit) {
  switch (unit) {
    case Unit::kSeconds:
      return fmt::format("{:.1f} s", value);
    case Unit::kMilliseconds:
      return fmt::format("{:.0f} ms", value);
    case Unit::kBytes:
      return FormatBytes(value);
    case Unit::kSegments:
    case Unit::kSessions:
      return fmt::format("{:.0f} {}", value, Name(unit));
    case Unit::kNumber:
      break;
  }
  return fmt::format("{:g}", value);
}

std::optional<double> Parse(std::string_view text, Unit unit) {
  const std::string copy(text);
  char* end = nullptr;
  const double number = std::strtod(copy.c_str(), &end);
  if (end == copy.c_str() || !std::isfinite(number) || number < 0) return std::nullopt;
  std::string_view suffix(end);
  while (!suffix.empty() && suffix.front() == ' ') suffix.remove_prefix(1);
  const auto factor = FactorOf(suffix, unit);
  if (!factor) return std::nullopt;
  return number * *factor;
}

}  // namespace pgalter::watch
