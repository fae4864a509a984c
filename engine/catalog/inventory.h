// Inventory: what a database has, with what makes a change of it slow or impossible. Reads only,
// and waits for nobody's lock but that of somebody who drops what is read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::catalog {

using async::Task;
using guard::Session;

// Names are quoted as SQL, with their schema. Times are ISO 8601, UTC; empty: never.
struct TableFacts {
  std::string name;
  std::string kind;  // table, partitioned, partition, matview
  bool logged = true;
  std::string key;  // columns of the primary key, else of a unique key without NULLs; empty
  std::optional<double> rows;  // an estimate; nullopt: never analysed
  std::int64_t dead_rows = 0;
  std::int64_t heap_bytes = 0;  // of a partitioned table nothing: its partitions have it
  std::int64_t index_bytes = 0;
  std::int64_t toast_bytes = 0;
  std::string vacuumed;
  std::string analysed;
  double freeze_share = 0;  // of autovacuum_freeze_max_age

  [[nodiscard]] std::int64_t bytes() const { return heap_bytes + index_bytes + toast_bytes; }
};

struct IndexFacts {
  std::string name;
  std::string table;
  std::string definition;  // empty: the table is locked
  std::int64_t bytes = 0;
  bool valid = true;
  bool unique = false;
  std::string constraint;  // that it belongs to; empty: none
  std::int64_t scans = 0;
  std::string covered_by;  // a valid index of the same kind that begins with the same columns
  bool needed = false;     // as a key, for an exclusion, a replica identity, or a partitioned index
};

struct ConstraintFacts {
  std::string name;  // quoted
  std::string table;
  std::string kind;        // primary key, foreign key, unique, check, exclusion
  std::string definition;  // empty: the table is locked
  bool validated = true;
  bool without_index = false;  // a foreign key: each delete of a parent reads the whole table
};

// Of all that are no system's and not pgalter's, the largest first; or of `table` and its
// partitions alone, where it is not 0.
Task<std::vector<TableFacts>> ReadTables(Session& session, pg::Oid table);
Task<std::vector<IndexFacts>> ReadIndexes(Session& session, pg::Oid table);
Task<std::vector<ConstraintFacts>> ReadConstraints(Session& session, pg::Oid table);

// Since when scans are counted; empty: since the server was made, or a crash.
Task<std::string> CountedSince(Session& session);

}  // namespace pgalter::catalog
