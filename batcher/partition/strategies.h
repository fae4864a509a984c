// What the two ways to convert a table by range would cost, for who is to choose between them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batcher/partition/prepare.h"
#include "planner/plan/plan.h"

namespace pgalter::partition {

struct Cost {
  std::string strategy;    // "attach", "copy"
  plan::Duration time;     // without the waiting for locks
  std::int64_t bytes = 0;  // of disk, until the old indexes, or the old table, are gone
  std::string blocked;     // for how long users are, for people
  std::string rows;        // where those of now will be, for people
};

// That of attaching first.
Task<std::vector<Cost>> CompareStrategies(Session& session, const Prepared& prepared);

}  // namespace pgalter::partition
