// Walk: whether two tables can be gone through side by side, in ranges of a key.
//
// They can where both have an index that begins with the same columns in the same order, and one of
// the two has each value of them once. A range then is read by index on both sides, whatever
// partitions there are, and compared both ways at once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/capture/compare_sql.h"

namespace pgalter::verify {

using async::Task;
using guard::Session;

struct IndexColumn {
  std::string name;  // quoted
  pg::Oid collation = 0;
};

// The columns by which it can be walked: up to the first that may be NULL, is an expression,
// descending, or of another operator class than its type's own.
struct WalkIndex {
  bool of_to = false;
  bool unique = false;  // over just these
  std::string first;    // column, whatever it is; empty: an expression
  std::vector<IndexColumn> columns;
};

// Pure. `indexes` in the order in which they are preferred.
std::optional<capture::Walk> ChooseWalk(const capture::Flow& flow,
                                        const std::vector<WalkIndex>& indexes);

struct Ways {
  std::optional<capture::Walk> walk;
  bool in_order = false;   // the walk's, of the rows on disk of both, as ANALYZE saw them
  capture::Lookup lookup;  // where there is none
};
Task<Ways> ReadWays(Session& session, const capture::Flow& flow);

}  // namespace pgalter::verify
