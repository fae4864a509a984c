// Progress of a backfill in pgalter.backfill_*: read at the start, written in the transaction of
// each chunk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/backfill/window_set.h"
#include "engine/guard/lease.h"

namespace pgalter::backfill {

using async::Task;
using guard::Session;

struct RecordedRelation {
  pg::Oid filenode = 0;
  Block blocks = 0;
  std::vector<Window> windows;
  std::int64_t updated_rows = 0;
};

// The blocks that so many relations had when they were recorded; nullopt: not all of them were.
Task<std::optional<Block>> RecordedBlocks(Session& session, std::string run, std::size_t relations);

// What is known of a relation; recorded now with these figures when nothing was.
Task<RecordedRelation> LoadOrRecord(Session& session, const guard::Lease& lease, pg::Oid relation,
                                    pg::Oid filenode, Block blocks);

// The relation was rewritten: all windows are forgotten.
Task<> StartAgain(Session& session, const guard::Lease& lease, pg::Oid relation, pg::Oid filenode,
                  Block blocks);

// Inside a chunk's transaction.
Task<> RecordWindow(Session& session, const guard::Lease& lease, pg::Oid relation,
                    const Window& window, std::int64_t updated_rows);

// A begun window becomes two with the same passes.
Task<> RecordSplit(Session& session, const guard::Lease& lease, pg::Oid relation, const Window& low,
                   const Window& high);

// Neighbouring done windows become one row.
Task<> FoldWindows(Session& session, const guard::Lease& lease, pg::Oid relation);

// Inside a transaction that has looked at the lease: all of the run's.
Task<> ForgetWindows(Session& session, std::string run);

Task<> RecordQuarantine(Session& session, const guard::Lease& lease, pg::Oid relation,
                        std::string key, std::string sqlstate, std::string object);
Task<std::vector<std::string>> QuarantinedKeys(Session& session, std::string run, pg::Oid relation);

}  // namespace pgalter::backfill
