#include "engine/watch/signals.h"

#include <array>

namespace pgalter::watch {

namespace {
#define PGALTER_SIGNAL(name) &k##name,
constexpr std::array kSignals{
#include "engine/watch/signals.def"
};
#undef PGALTER_SIGNAL
}  // namespace

std::span<const Signal* const> AllSignals() { return kSignals; }

const Signal* FindSignal(std::string_view id) {
  for (const Signal* signal : kSignals)
    if (signal->id == id) return signal;
  return nullptr;
}

}  // namespace pgalter::watch
