#include "engine/watch/reading.h"

#include <fmt/format.h>

namespace pgalter::watch {

double Reading::utilisation() const {
  if (seen != Seen::kMeasured || limit <= 0) return 0;
  const double share = value / limit;
  return effect == Effect::kBudget && share < 1 ? 0 : share;
}

std::string Describe(const Reading& reading) {
  switch (reading.seen) {
    case Seen::kUnreadable:
    case Seen::kMissingRight:
      return fmt::format("{} cannot be read: {}", reading.signal, reading.text);
    case Seen::kAbsent:
      return fmt::format("{}: {}", reading.signal, reading.text);
    case Seen::kMeasured:
      break;
  }
  std::string text = fmt::format("{} {}", reading.signal, Format(reading.value, reading.unit));
  if (reading.limit > 0) text += fmt::format(" of {}", Format(reading.limit, reading.unit));
  if (!reading.text.empty()) text += fmt::format(" ({})", reading.text);
  return text;
}

}  // namespace pgalter::watch
