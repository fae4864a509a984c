// What takes a change back, or makes it again, once its run is over: the words of a hint.
#pragma once

#include <string>

#include "engine/state/runs.h"

namespace pgalter::cli {

// Of a run that is finished, or past the point of no return: the command that makes the opposite
// change.
std::string OppositeOf(const state::Run& run);
// Where a run keeps the statement that is its opposite.
inline constexpr const char* kOpposite = "opposite";
// Of a run that cannot go on: the command that begins one like it.
std::string Anew(const state::Run& run);

}  // namespace pgalter::cli
