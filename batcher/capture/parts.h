// Parts: the tables that hold a table's rows. A plain table is its own; of a partitioned one they
// are its leaves, which users attach, detach and empty as they like.
#pragma once

#include <string>
#include <vector>

#include "batcher/capture/flow.h"

namespace pgalter::capture {

struct Part {
  pg::Oid oid = 0;
  std::string name;      // quoted, with its schema
  pg::Oid filenode = 0;  // another one after TRUNCATE and after a rewrite
  std::string since;     // another one after it was detached and attached again
};

// By oid. In a repeatable read transaction: as they were for its snapshot.
Task<std::vector<Part>> ReadParts(Session& session, pg::Oid table);
// The same of all tables that a flow comes from.
Task<std::vector<Part>> ReadSourceParts(Session& session, const Flow& flow);

// All partitions below a table at whatever depth, quoted, without the table itself.
Task<std::vector<std::string>> ReadPartitions(Session& session, pg::Oid table);

// ATTACH, DETACH and TRUNCATE of a leaf, or of one of several tables, fire none of our triggers,
// and neither does a rewrite, which may change every value (ALTER COLUMN … TYPE … USING). The parts
// of `from` are remembered with the flow and compared in each round and under the lock of the swap:
// where they differ, rows that are gone leave `to`, and every key of a new or rewritten part
// becomes dirty. In the caller's transaction.
Task<> RememberParts(Session& session, const Flow& flow);
// Of the parts of now, for who records more in the same round trip.
Task<pg::Statement> RememberPartsStatement(Session& session, const Flow& flow);
// Those that are as they were remembered, by oid; of the others every key is still to become dirty.
Task<std::vector<Part>> ReadUnchangedParts(Session& session, const Flow& flow);
Task<> FollowParts(Session& session, const Flow& flow);
// Whether they differ now.
Task<bool> HavePartsChanged(Session& session, const Flow& flow);

}  // namespace pgalter::capture
