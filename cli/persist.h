// Work of a command's own, without a runner, that outlives its connections.
#pragma once

#include <functional>
#include <string>

#include "cli/context.h"
#include "engine/guard/session.h"

namespace pgalter::cli {

using OnSession = std::function<Task<>(guard::Session&)>;

// What is lost with a connection is begun anew on another one, which is in `session` then, for as
// long as a runner tries: `work` has to bear that, also where its COMMIT had come through. Throws
// pg::ConnectError once that is over; `next`: the command that goes on.
Task<> Persist(const Context& context, guard::Session& session, const OnSession& work,
               std::string next);

}  // namespace pgalter::cli
