// Likeness: what a new partition has to be given to be as its siblings are.
#pragma once

#include <string>
#include <vector>

#include "batcher/partition/subdivision.h"
#include "engine/guard/session.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

// Their owner and replica identity, and none of the rights that default privileges would open it
// with.
struct Likeness {
  std::string persistence;         // "UNLOGGED ", or empty
  std::vector<std::string> after;  // statements, with {} for the partition's name
};

Task<Likeness> LikeTheOthers(Session& session, pg::Oid parent);

// "CREATE TABLE name PARTITION OF parent bound storage" and what follows it.
std::vector<std::string> MakePartition(const Likeness& likeness, const std::string& name,
                                       const std::string& parent, const std::string& bound,
                                       const std::string& storage);

// One that is partitioned itself, as its siblings are: whole before it is attached, since a range
// that is there and has no partition for a row refuses the row. `name` and `home` are quoted,
// `relname` is not.
std::vector<std::string> MakeDivided(const Likeness& likeness, const Subdivision& subdivision,
                                     const std::string& home, const std::string& relname,
                                     const std::string& parent, const std::string& bound);

}  // namespace pgalter::partition
