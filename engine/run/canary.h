// The canary of a run that moves rows: a first part of the table, after which it rests at a gate
// until somebody has looked. Blocks are counted, not rows: they are known.
#pragma once

#include <cstdint>

#include "engine/run/step_handler.h"

namespace pgalter::run {

inline constexpr const char* kCanaryGate = "canary";
// Among the keys of the run's pace: "0.01".
inline constexpr const char* kCanaryKey = "canary";

// The share of the table that it is, in (0, 1); 0: there is none.
double CanaryOf(const state::Run& run);

// There is one, and nobody has let the run go on behind it.
bool InCanary(const state::Run& run, const state::Control& control);

// How many of so many blocks may be begun at all: at least one.
std::int64_t CanaryBlocks(double share, std::int64_t total);

// Where the run rests now.
[[noreturn]] void RestAtCanary(const Environment& env);

}  // namespace pgalter::run
