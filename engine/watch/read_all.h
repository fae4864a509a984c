// ReadAll: one round over all signals that are not waived, within one deadline. With
// `at_their_rates` those that are not due are as they were read last.
//
// Never throws for what a server answers or fails to answer: that is a reading, too. A lost
// connection makes the rest unreadable and leaves `session` closed; opening it again is the
// caller's affair. Throws only when the coroutine is cancelled.
#pragma once

#include <string>
#include <vector>

#include "engine/watch/signals.h"

namespace pgalter::watch {

Task<std::vector<Reading>> ReadAll(guard::Session& session, const WatchOptions& options,
                                   Memory& memory);

// The round that could not even begin.
std::vector<Reading> NothingReadable(const WatchOptions& options, const std::string& why);

// How the watching session is opened: read-only, and never in a queue behind users' locks.
guard::SessionOptions WatchingSession(guard::SessionOptions options);

}  // namespace pgalter::watch
