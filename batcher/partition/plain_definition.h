// The plain form of a partitioned table, as statements of a definition file of a rebuild.
#pragma once

#include <string>
#include <vector>

#include "batcher/partition/whole.h"

namespace pgalter::partition {

struct Plain {
  std::string script;
  std::vector<std::string> remarks;  // in what the partitions differ
};

// Columns, constraints, keys and indexes as they are; storage as the partitions have it. Reads
// only.
Task<Plain> PlainDefinition(Session& session, const Whole& whole);

}  // namespace pgalter::partition
