// Sessions of a run whose runner is gone. Found by application_name, ended with
// pg_terminate_backend where this role may, and waited for until they are really gone.
#pragma once

#include <string>

#include "engine/guard/session.h"

namespace pgalter::run {

using async::Task;

// Ends every session of `run` but `session` itself. Throws Failure when one is still there after
// `limit`, naming it.
Task<> EndOrphans(guard::Session& session, std::string run, async::Milliseconds limit);

}  // namespace pgalter::run
