// The canary of what moves rows: a first part of the table, after which the run rests at a gate
// until somebody has looked. Blocks are counted, not rows: they are known. In a plan each step that
// moves rows has one of its own, with a gate of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/run/step_handler.h"

namespace pgalter::run {

inline constexpr const char* kCanaryGate = "canary";
// Among the keys of the run's pace: "0.01".
inline constexpr const char* kCanaryKey = "canary";

// The share of a table that it is, in (0, 1); 0: there is none.
double CanaryOf(const state::Run& run);

// Whether a gate of that name is a canary's.
bool IsCanaryGate(std::string_view gate);
// Of a step of a plan; empty where it moves no rows.
std::string CanaryGateOf(const state::Step& step);
// The run as the handler of that step sees it: its gate is the step's.
void NameCanaryGate(state::Run& own, const state::Step& step);

// There is one, and nobody has let the run go on behind it.
bool InCanary(const state::Run& run, const state::Control& control);

// How many of so many blocks may be begun at all: at least one.
std::int64_t CanaryBlocks(double share, std::int64_t total);

// Where the run rests now.
[[noreturn]] void RestAtCanary(const Environment& env);

}  // namespace pgalter::run
