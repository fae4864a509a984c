// Views anew: views under which a column changes its type, and the views over these. CREATE OR
// REPLACE cannot give a view another type of column, so the swap drops them and makes them again,
// with owner, options, grants, comments, defaults, rules and triggers, all in its transaction.
//
// Views whose columns stay are replaced where they are (batcher/cutover/carry_over.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batcher/rebuild/matviews.h"
#include "engine/guard/session.h"

namespace pgalter::rebuild {

struct ViewAnew {
  pg::Oid oid = 0;
  std::string name;     // quoted, with its schema
  std::string schema;   // quoted
  std::string relname;  // quoted
};

// Under which one of the replaced relations changes the type of a column; what others read comes
// first.
Task<std::vector<ViewAnew>> FindViewsAnew(Session& session, std::vector<Replaced> replaced);
[[nodiscard]] std::vector<std::int64_t> OidsOf(const std::vector<ViewAnew>& views);

// What hangs on one of them and could not be made again, or a right to them that the role has not,
// with the way out; empty: there is none.
Task<std::string> WhyNotAnew(Session& session, std::vector<ViewAnew> views,
                             std::vector<Replaced> replaced);

// To be run when all that hangs on the tables is dropped, and when all tables have their new names.
struct ViewStatements {
  // Before: writes what the catalog has of them anew (batcher/cutover/grants.h).
  std::vector<std::string> touch;
  std::vector<std::string> drop;
  std::vector<std::string> make;
};
Task<ViewStatements> WriteViewsAnew(Session& session, std::vector<ViewAnew> views);

// Makes them over the relations that come, beside those that are there, and then what hangs on them
// and is read over their types. In a transaction of the caller's that takes it back; `schema`: a
// name that schemas for them can begin with. Throws run::Failure (refused) for the first that the
// server refuses.
//
// Lock: ACCESS SHARE on what they read, ROW EXCLUSIVE on what their rules write. Blocks: whoever
// wants a table that is written for himself, until it is taken back.
Task<> TryViewsAnew(Session& session, std::vector<ViewAnew> views, std::vector<Replaced> replaced,
                    std::string schema);

}  // namespace pgalter::rebuild
