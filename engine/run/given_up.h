// The end of trying: no connection came back in time.
#pragma once

#include <exception>
#include <string>

#include "engine/async/task.h"

namespace pgalter::run {

// Throws pg::ConnectError. `lost`: the last attempt's pg::PgError. `next`: what to do once the
// server can be reached; empty: the caller says it.
[[noreturn]] void ThrowGivenUp(const std::exception_ptr& lost, async::Milliseconds budget,
                               const std::string& next = "");

}  // namespace pgalter::run
