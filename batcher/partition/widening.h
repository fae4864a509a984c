// Widening: a foreign key of another table gets the partition column, too, so that it can refer to
// the wide key. Its table gets a column for it, which a trigger fills where the application does
// not; the wide foreign key keeps it what it is in the table referred to, by ON UPDATE CASCADE,
// from the moment on that it is there, which is before the rows of old are filled. Where that table
// is partitioned, its partitions get the key first, NOT VALID, and the table adopts theirs. Text
// only.
#pragma once

#include <string>
#include <vector>

#include "batcher/partition/reference.h"
#include "planner/plan/plan.h"

namespace pgalter::partition {

// A column of the parent that the key lacks.
struct LackingColumn {
  std::string name;  // not quoted
  std::string type;  // as SQL, with its collation
};

struct Widening {
  std::vector<std::string> columns;  // of the child, quoted
  std::string key;                   // the wide foreign key's name, quoted
  std::string function;              // quoted, with its schema
  std::vector<plan::Step> steps;     // while the parent is plain, in their order
  // Before the wide keys of the parent change their form on the way back. Those of partitions that
  // their table has not adopted are the caller's to find (cutover::DropsNow).
  std::string drop_key;
};

Widening WideningOf(const Reference& reference, const std::vector<LackingColumn>& lacking);

}  // namespace pgalter::partition
