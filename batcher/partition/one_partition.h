// One partition comes or goes: what stands in the way, and the statements for a plan. Reads only.
#pragma once

#include <string>
#include <vector>

#include "batcher/partition/bound_wish.h"

namespace pgalter::partition {

struct OneChange {
  std::string parent;  // quoted, with its schema
  std::string partition;
  std::string bound;
  std::vector<std::string> script;  // without semicolons
};

// A new, empty partition. `name` is not quoted; empty: made from the table's and the bound. Throws
// run::Failure.
Task<OneChange> PlanAdd(Session& session, std::string table, BoundWish wish, std::string name);

// A table that is there becomes a partition. Throws run::Failure: (refused) it is not alike.
Task<OneChange> PlanAttach(Session& session, std::string table, std::string parent, BoundWish wish);

// A partition becomes a table of its own; a detach that somebody has begun is ended. Throws
// run::Failure: (usage) it is none; (refused) another one is half detached, rows of other tables
// refer to it, or who does takes longer to find out than users may wait.
Task<OneChange> PlanDetach(Session& session, std::string partition,
                           async::Milliseconds hold_budget);

}  // namespace pgalter::partition
