// Likeness: what a new partition has to be given to be as its siblings are.
#pragma once

#include <string>
#include <vector>

#include "batcher/backfill/target.h"
#include "batcher/partition/alike.h"
#include "batcher/partition/subdivision.h"
#include "engine/guard/session.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

// Their owner and replica identity, and none of the rights that default privileges would open it
// with; of one sibling, how it is stored and what its columns are set to.
struct Likeness {
  std::string persistence;         // "UNLOGGED ", or empty
  std::string storage;             // " USING … WITH (…) TABLESPACE …"
  std::vector<std::string> after;  // statements, with {} for the partition's name
  Forms columns;
};

// `sibling`: the one that a new one follows, quoted, with its schema; empty: there is none.
Task<Likeness> LikeTheOthers(Session& session, const backfill::Table& parent, std::string sibling);

// "CREATE TABLE name PARTITION OF parent bound storage" and what follows it.
std::vector<std::string> MakePartition(const Likeness& likeness, const std::string& name,
                                       const std::string& parent, const std::string& bound);

// One that is partitioned itself, as its siblings are: whole before it is attached, since a range
// that is there and has no partition for a row refuses the row. `name` and `home` are quoted,
// `relname` is not.
std::vector<std::string> MakeDivided(const Likeness& likeness, const Subdivision& subdivision,
                                     const std::string& home, const std::string& relname,
                                     const std::string& parent, const std::string& bound);

}  // namespace pgalter::partition
