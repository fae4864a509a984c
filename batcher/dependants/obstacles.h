// What is bound to a table by its identity and cannot be carried over to the one that takes its
// place: it would go on with the table that left, in silence. Asked before a run, and again under
// the lock of every cut-over, there and back.
#pragma once

#include <string>

#include "engine/guard/session.h"

namespace pgalter::dependants {

using async::Task;
using guard::Session;

// Materialized views that read it: in the way, or seen to by the caller.
enum class Matviews { kInTheWay, kFollow };

// The first, with the way out; empty: there is none.
Task<std::string> FindObstacle(Session& session, pg::Oid table,
                               Matviews matviews = Matviews::kInTheWay);

// The same under the lock. Throws run::Failure (refused): nothing was changed. `again`: the command
// to go on with when it is gone.
Task<> RefuseObstacle(Session& session, pg::Oid table, std::string name, std::string again,
                      Matviews matviews = Matviews::kInTheWay);

}  // namespace pgalter::dependants
