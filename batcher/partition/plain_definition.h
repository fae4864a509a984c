// The plain form of a partitioned table, as statements of a definition file of a rebuild.
#pragma once

#include <string>

#include "batcher/partition/whole.h"

namespace pgalter::partition {

// Columns, constraints, keys and indexes as they are. Reads only.
Task<std::string> PlainDefinition(Session& session, const Whole& whole);

}  // namespace pgalter::partition
