// Likeness: what a new partition has to be given to be as its siblings are.
#pragma once

#include <string>
#include <vector>

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

}  // namespace pgalter::partition
