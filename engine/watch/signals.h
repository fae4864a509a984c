// The table of all signals, made from signals.def.
#pragma once

#include <span>

#include "engine/watch/signal.h"

namespace pgalter::watch {

#define PGALTER_SIGNAL(name) extern const Signal k##name;
#include "engine/watch/signals.def"
#undef PGALTER_SIGNAL

std::span<const Signal* const> AllSignals();
const Signal* FindSignal(std::string_view id);  // nullptr: there is none

}  // namespace pgalter::watch
