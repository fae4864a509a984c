// Tree: a partitioned table with its partitions at whatever depth, and the same once more, empty,
// in the run's schema.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "batcher/rebuild/definition.h"
#include "batcher/rebuild/names.h"

namespace pgalter::rebuild {

struct Branch {
  pg::Oid oid = 0;
  std::string name;     // quoted, with its schema
  std::string relname;  // quoted
  std::string parent;   // its relname, quoted; empty: it is the whole
  std::string bound;    // "FOR VALUES …", "DEFAULT"; empty: it is the whole
  std::string key;      // "RANGE (made)"; empty: it is not partitioned
};

// The whole first, each behind the one that it is a part of. Of a plain table: it alone.
Task<std::vector<Branch>> ReadTree(Session& session, pg::Oid table);

// Columns of its partition keys and of those below it, not quoted.
Task<std::vector<std::string>> ReadKeyColumns(Session& session, pg::Oid table);

// What is done to each table while it is one by itself; empty: nothing.
using Retype = std::function<Task<>(std::string table)>;

// All tables under their own names, with bounds, columns, storage and indexes. In the caller's
// transaction. Throws run::Failure where bounds would read otherwise in columns of another type.
Task<> MakeTreeLike(Session& session, const Names& names, pg::Oid source, const Retype& retype);

// Of the new table with its partitions: those of a partition before what adopts them.
Task<std::vector<Index>> ReadTreeIndexes(Session& session, std::vector<Branch> tree,
                                         std::string schema);

// Of a partitioned table that is to be made once more: what of a partition's own cannot be. Before
// anything is made. Throws run::Failure for the first.
Task<> RefuseUnlikePartitions(Session& session, std::string table, pg::Oid source);

}  // namespace pgalter::rebuild
