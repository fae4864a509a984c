// Target: what the user wants to change, as the server knows it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "planner/locks/lock_mode.h"

namespace pgalter::check {

// What a statement does to one of its tables.
struct Wanted {
  std::optional<locks::LockMode> lock;  // the strongest
  bool rewritten = false;
  bool scanned = false;  // or an index is built
};

struct TargetTable {
  std::int64_t oid = 0;
  std::string name;        // as SQL, qualified
  bool named = false;      // else it is a partition or child of one that is
  std::int64_t bytes = 0;  // with indexes and TOAST; of a partitioned table itself 0
  Wanted wanted;
};

struct Target {
  std::vector<TargetTable> tables;  // empty: the whole database

  [[nodiscard]] bool whole_database() const { return tables.empty(); }
  // For `$1::oid[]`.
  [[nodiscard]] std::vector<std::int64_t> Oids() const {
    std::vector<std::int64_t> oids;
    for (const TargetTable& table : tables) oids.push_back(table.oid);
    return oids;
  }
  [[nodiscard]] bool BlocksReadsOrWrites() const {
    for (const TargetTable& table : tables)
      if (table.wanted.lock && locks::BlocksWrites(*table.wanted.lock)) return true;
    return false;
  }
  [[nodiscard]] std::int64_t RewrittenBytes() const {
    std::int64_t bytes = 0;
    for (const TargetTable& table : tables)
      if (table.wanted.rewritten) bytes += table.bytes;
    return bytes;
  }
};

}  // namespace pgalter::check
