// Views over tables that change places: each is made to read the table that comes, or leaves with
// its own, which takes a lock on it.
#pragma once

#include <cstdint>
#include <vector>

#include "batcher/dependants/obstacles.h"
#include "engine/guard/session.h"
#include "engine/lock/lock_tables.h"

namespace pgalter::cutover {

using async::Task;
using guard::Session;

// Those that are bound to one of the tables (or, where they follow, to a materialized view over
// them) and `anew`, what reads others before these: as users lock them, and REFRESH. Without those
// that this role may not lock; the swap refuses these by name. Nor those of another's session.
Task<std::vector<lock::View>> ViewsOver(Session& session, std::vector<std::int64_t> tables,
                                        dependants::Matviews matviews,
                                        std::vector<std::int64_t> anew);

}  // namespace pgalter::cutover
