// Like table: an empty table with the columns, CHECKs and storage of another one, as LIKE copies
// them and as far as CREATE TABLE and ALTER TABLE can say what LIKE leaves out. Indexes, owner and
// rights are not among it. In the caller's transaction.
#pragma once

#include <string>
#include <vector>

#include "batcher/rebuild/names.h"
#include "engine/guard/session.h"

namespace pgalter::rebuild {

using async::Task;
using guard::Session;

struct LikeTable {
  std::string columns_of;      // as all names here quoted, with its schema
  pg::Oid storage_of = 0;      // may be another table's
  std::string name;            // to be
  std::string partitioned_by;  // "RANGE (made)"; empty: it is not partitioned
  // Identity columns of a partition are those of the whole.
  bool partition = false;
};

Task<> MakeLike(Session& session, LikeTable like);

// What LIKE does not copy of columns that are in both tables: `to` by its quoted name.
Task<> CopyColumnSettings(Session& session, pg::Oid from, std::string to);

// The same of columns that have other names there, as far as they have not been given their own.
Task<> CopyRenamedSettings(Session& session, pg::Oid from, std::string to,
                           const std::vector<SameColumn>& renamed);

}  // namespace pgalter::rebuild
