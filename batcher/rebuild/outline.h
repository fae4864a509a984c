// Outline: what a table's own definition says, as lines. The one that takes its place was made from
// it hours ago, or is what it was made from; what users have altered since would go without a word,
// columns with their values. What hangs on the table (triggers, grants, foreign keys and so on) is
// read under the lock of each swap and no part of it, and comments go over by themselves (noted.h);
// neither are partitions a part of it, which are followed, unless the table that comes has the same
// ones.
#pragma once

#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::rebuild {

using async::Task;
using guard::Session;

using Outline = std::vector<std::string>;

enum class Partitions { kFollowed, kTheSame };

Task<Outline> ReadOutline(Session& session, pg::Oid table,
                          Partitions partitions = Partitions::kFollowed);

// What came and what is gone, up to a few of them; empty: the same.
std::string DescribeChanges(const Outline& before, const Outline& now);

// In the transaction that holds the lock. `before`: empty where a run of an older program kept
// none. Throws run::Failure (refused). `again`: the command to go on with.
Task<> RefuseAltered(Session& session, pg::Oid table, std::string name, Outline before,
                     Partitions partitions, std::string again);

}  // namespace pgalter::rebuild
