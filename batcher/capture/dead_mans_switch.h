// Dead man's switch: a capture whose runner has gone gives up, before its log fills the disk.
//
// The trigger logs until a deadline that every beat of a runner moves, and up to a size. Past
// either it logs no more, and says so; what users change from then on is missing, so the copy, or
// the way back, is lost. So it is when a user changes the key's type to one that the log does not
// take. Users notice nothing.
#pragma once

#include <optional>
#include <string>

#include "batcher/capture/flow.h"

namespace pgalter::capture {

enum class GaveUp { kLate, kLarge, kRetyped };

// What TakeStatement and GivenUpExpression tell.
std::optional<GaveUp> ReadGaveUp(const pg::Result& result, int column);

// Throws run::Failure (refused), with what to do.
[[noreturn]] void ThrowGivenUp(const Flow& flow, GaveUp why);
Task<> RefuseGivenUp(Session& session, const Flow& flow);

// When it would, in ISO 8601; empty: never.
Task<std::string> ReadDeadline(Session& session, const Flow& flow);

}  // namespace pgalter::capture
