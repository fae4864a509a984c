// Referrers: rows of other tables, and of other partitions, that refer to those of a partition, by
// foreign keys or by the triggers that stand for one (checked.h). For a foreign key the server
// looks under its lock; for triggers nothing fires when the partition is detached or dropped, so it
// is asked under the lock, too. Both are asked before, without a lock, and how long that takes is
// held against the time for which users may wait. Reads only.
#pragma once

#include <string>
#include <vector>

#include "engine/async/deadline.h"
#include "engine/run/referrers.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

// What may refer to rows of a partitioned table.
struct Referring {
  std::string table;    // quoted, with its schema
  std::string name;     // of the foreign key, quoted
  std::string columns;  // that refer: quoted; empty: an older pgalter made the triggers
  std::string rows;     // as of CheckedTriggers
  std::string refers;
  bool indexed = false;    // an index begins with these columns
  bool to_itself = false;  // the table is the whole: rows of the partition itself go with it
};

struct Staying {
  std::string why;    // with the way out; empty: it may go
  bool slow = false;  // it takes too long to find out, as it would for others of its size
};

// Whether `partition` (quoted, with its schema) of `whole` should stay: rows refer to it, or that
// takes longer to find out than `hold_budget`. Outside a transaction. Throws run::Failure (lock not
// obtained): somebody keeps even readers from one of the tables.
Task<Staying> FindReferrers(Session& session, pg::Oid whole, std::string partition,
                            async::Milliseconds hold_budget);

// For the steps that detach.
class TriggerReferrers : public run::Referrers {
 public:
  Task<bool> Possible(Session& session, pg::Oid parent) const override;
  Task<std::string> Find(Session& session, pg::Oid parent, std::string partition) const override;
  Task<std::string> WhySlow(Session& session, pg::Oid parent) const override;
};

}  // namespace pgalter::partition
