// Rejoin: foreign keys of other tables that refer to a partitioned table of which partitions change
// places. The server lets no partition go to whose rows others refer, although the same rows come
// back in the same transaction. So the keys go in it, too, and are made again, NOT VALID: rows are
// checked by them without a gap, and those of before are validated while users work on. Those of
// the table itself are self_keys.h.
#pragma once

#include <string>
#include <vector>

#include "batcher/cutover/carry_over.h"
#include "batcher/partition/later.h"
#include "batcher/partition/repart.h"
#include "engine/lock/work.h"

namespace pgalter::partition {

// The tables whose foreign keys refer to it, itself among them, without its partitions; quoted,
// with their schemas.
Task<std::vector<std::string>> ReferringTables(Session& session, pg::Oid whole);

// ACCESS EXCLUSIVE on those that the whole refers to, on it, on `beside` (quoted; empty: none), and
// on those that refer to it, in one LOCK TABLE.
lock::LockRequest LockAround(const cutover::Joined& joined, const RepartSpec& spec,
                             const std::string& beside);

struct Rejoined {
  std::vector<std::string> before;  // partitions are taken out
  std::vector<std::string> after;   // the others are in place
  Later later;                      // what these are about is read once they are made
};

// What an exchange has to know of them.
struct Joins {
  cutover::Joined locked;
  Later unsettled;         // of an exchange before, which this one takes back
  bool has_settle = true;  // there is a step, or somebody else, that does what is left
};

// In the transaction that holds the locks. `from`: the partitions that go, quoted, with their
// schema. Throws run::Failure (refused): a key came after the tables were locked, or one is not
// made again as it is, or nobody would validate it. `verb`: what does it again.
Task<Rejoined> ReadRejoined(run::Environment& env, const RepartSpec& spec,
                            std::vector<std::string> from, Joins joins, const char* verb);

}  // namespace pgalter::partition
