#pragma once

// Who keeps everybody out of a table, or waits for that: its size cannot be read meanwhile.

#include <string>

#include "engine/guard/session.h"

namespace pgalter::throttle {

// "pid 7 (psql) holds ACCESS EXCLUSIVE on public.t", also on its indexes, TOAST and partitions.
// Empty: nobody does. Takes no lock on any of them.
async::Task<std::string> WhoLocksOut(guard::Session& session, const std::string& table);

}  // namespace pgalter::throttle
