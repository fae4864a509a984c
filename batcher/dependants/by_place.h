// What calls columns of a table by their places: FROM t AS x (a, b), and aliases of the columns of
// a join. It is made anew from its text for the table that comes, where another column may stand in
// the place, and nothing fails.
#pragma once

#include <string>

#include "engine/guard/session.h"

namespace pgalter::dependants {

using async::Task;
using guard::Session;

// A view, rule or policy that would mean other columns of `coming` than it does of `leaving`, with
// the way out; empty: there is none.
Task<std::string> FindByPlace(Session& session, pg::Oid leaving, pg::Oid coming);

// The same under the lock. Throws run::Failure (refused): nothing was changed. `again`: the command
// to go on with when it is gone.
Task<> RefuseByPlace(Session& session, pg::Oid leaving, pg::Oid coming, std::string name,
                     std::string again);

}  // namespace pgalter::dependants
