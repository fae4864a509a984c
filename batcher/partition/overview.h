// Overview: a partitioned table as it is: its parts with their bounds, and what is wrong with them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

struct Part {
  std::string name;   // quoted, with its schema
  std::string bound;  // "FOR VALUES FROM (…) TO (…)", in UTC; "DEFAULT"
  std::string times;  // "2026-01-01 to 2026-02-01" of uuids of version 7, in UTC; else empty
  int level = 1;      // 2 and more: a partition of a partition
  bool is_default = false;
  bool divided = false;  // partitioned itself
  double rows = 0;       // estimate
  bool counted = true;   // false: nothing is known of its rows
  std::int64_t bytes = 0;
};

struct Overview {
  std::string table;  // quoted, with its schema
  std::string by;     // "RANGE (made)"
  std::vector<Part> parts;
  std::vector<std::string> remarks;  // gaps, rows in the default partition, invalid indexes
};

// Of a partitioned table by the user's text. Throws run::Failure (usage): unknown, not partitioned.
Task<Overview> ReadOverview(Session& session, std::string table);

}  // namespace pgalter::partition
