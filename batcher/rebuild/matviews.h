// Matviews: materialized views that read tables which are rebuilt. A materialized view is bound to
// its tables by their identity, and nothing can give it another query. So each gets a twin: the
// same query over the tables that come, with the same owner, storage, columns' settings, comments
// and indexes, under the same name in a schema of the run's.
//
// What hangs on it from outside (grants, views, its own comment) is carried over in the swap, as a
// table's is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batcher/rebuild/outline.h"
#include "batcher/rebuild/replaced.h"
#include "engine/guard/session.h"

namespace pgalter::rebuild {

struct Matview {
  pg::Oid oid = 0;
  std::string name;     // quoted, with its schema
  std::string schema;   // quoted
  std::string relname;  // quoted
  std::string owner;    // quoted
  bool populated = false;
  // Another one after each REFRESH, CONCURRENTLY or not, and after GRANT and ALTER.
  std::string version;
  Outline outline;

  bool operator==(const Matview&) const = default;
};

struct Twin {
  Matview of;
  pg::Oid oid = 0;
  std::string name;  // quoted, with its schema
};

// All that read the leaving ones, and those that read these; what others read comes first.
Task<std::vector<Matview>> ReadMatviews(Session& session, std::vector<Replaced> tables);

// Makes their twins, empty, in the schema of the first table that comes. In the caller's
// transaction. Throws run::Failure (refused), with the way out, for one that cannot have one.
//
// Lock: ACCESS SHARE on what they read. Blocks: nobody.
Task<std::vector<Twin>> MakeTwins(Session& session, std::vector<Replaced> tables);

}  // namespace pgalter::rebuild
