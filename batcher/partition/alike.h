// Alike: what a partition has of its own, which those that take its place are given. Read in the
// exchange, since rights and settings are given while a run goes on. Reads only.
#pragma once

#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

// A statement, as far as the table's name, and from there on.
struct Form {
  std::string before;
  std::string after;
};
using Forms = std::vector<Form>;

void AddFor(const std::string& table, const Forms& forms, std::vector<std::string>& statements);

// Comment, row security, replica identity, and the whole's triggers that fire otherwise there. To
// be read before it is detached, and executed once the new one is attached.
Task<Forms> LikeTheOld(Session& session, std::string partition);
// What it is granted to, and before that no default rights of the role that makes tables here.
// GRANT takes no lock on a table, but nobody's goes through on one that an open transaction has
// detached: that is when to read this.
Task<Forms> RightsOf(Session& session, std::string partition);
// The storage parameters in which a new partition differs.
Task<Forms> ParametersOf(Session& session, std::string partition, std::string made);

// Settings of columns that a new partition of `parent` has not by itself: statistics targets,
// n_distinct, and storage and compression where they are not the parent's. One ALTER TABLE.
Task<Forms> ColumnsLike(Session& session, std::string partition, std::string parent);

// What it was made with.
struct Storage {
  std::string persistence;  // "UNLOGGED ", or empty
  std::string rest;         // " USING … WITH (…) TABLESPACE …"; the usual ones are not said
  std::string tablespace;   // " TABLESPACE …" alone, for one that is partitioned itself
};
Task<Storage> StorageOf(Session& session, std::string partition);

// Why one partition, stored as the first of these, cannot take the place of all of them, with the
// way out: rights that those on one of them have would be rights on the others' rows; and those
// would lose something, or not fit. Empty: nothing.
Task<std::string> FindUnlike(Session& session, std::vector<std::string> partitions);

}  // namespace pgalter::partition
