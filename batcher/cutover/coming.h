// Coming: the partitions of a table that is to take another's place. Nobody uses them yet, so they
// need not wait for the locks that keep users out.
#pragma once

#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::cutover {

using async::Task;
using guard::Session;

struct Coming {
  std::vector<std::string> partitions;  // at whatever depth, by their names of now, quoted
  std::vector<std::string> unmoved;     // those that are not in the schema yet
};

// Of the table `oid`, which is to be in `schema` (quoted).
Task<Coming> ReadComing(Session& session, pg::Oid oid, std::string schema);

// In the transaction of an attempt, before it asks for users' locks: locks the table and its
// partitions, and moves these into the schema, apart from those whose names, or whose indexes'
// names, are taken there, by a partition of the table that leaves, for example: they move with it.
// Where somebody has a lock on one of them, none is moved: the attempt will name who.
Task<> MoveAhead(Session& session, std::string table, pg::Oid oid, std::string schema);

}  // namespace pgalter::cutover
