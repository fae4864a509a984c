// Self keys: foreign keys of a partitioned table to itself, while partitions of it change places.
// The server lets no partition go to whose rows others of the table refer. So these keys go, too,
// and are made again NOT VALID in the same transaction. Before PostgreSQL 18 a partitioned table
// takes none that is not valid: there each partition gets one of its own, and once these are
// validated, the table adopts them. Rows are checked without a gap.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batcher/cutover/carry_over.h"
#include "batcher/partition/later.h"

namespace pgalter::partition {

struct SelfKeys {
  std::vector<std::string> before;  // partitions are taken out
  std::vector<std::string> after;   // the others are in place
  Later later;                      // without what its statements are about
  std::string stranger;             // one that a partition has for itself; empty: none
};

// Which partitions take part; quoted, with their schemas.
struct Exchanged {
  std::string whole;
  std::vector<std::string> going;
  std::vector<std::string> coming;
};

// `staying`: what the exchange before has left. In the transaction that holds the locks.
Task<SelfKeys> ReadSelfKeys(Session& session, pg::Oid whole, Exchanged exchanged,
                            cutover::Staying staying);

// How long it takes at best, under the lock, to make them again where there are `more` partitions
// by then, or fewer.
Task<async::Milliseconds> SelfKeysTake(Session& session, pg::Oid whole, std::int64_t more);

}  // namespace pgalter::partition
