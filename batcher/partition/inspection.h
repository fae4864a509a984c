// Inspection: everything about a partitioned table that somebody who looks after it asks. Reads
// only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/partition/bounds.h"
#include "batcher/partition/partman.h"
#include "batcher/partition/whole.h"

namespace pgalter::partition {

// Between two ranges that follow one another: rows go to the default partition, or are refused. Of
// several columns the ends are as --from and --to read them.
struct Gap {
  std::string from;
  std::string to;
};

// The rows that no other partition holds.
struct InDefault {
  std::string name;  // of the partition; empty: there is none
  std::int64_t rows = 0;
  bool more = false;  // they were not counted any further
  // The least and the greatest key, where they were looked for; empty: not.
  std::string least;
  std::string greatest;
};

struct MissingIndex {
  std::string index;      // of the partitioned table
  std::string partition;  // that has no part of it
};

// What `partition maintain` would make now.
struct NextRanges {
  std::string until;          // where the ranges end now
  std::vector<Range> ranges;  // missing of those that belong ahead
  std::string unknown;        // why nothing can be told; empty: it can
};

struct Inspection {
  Whole whole;
  std::string by;  // "RANGE (made)"
  std::vector<Member> members;
  std::vector<Gap> gaps;
  std::string refused;  // which hashes have no partition; empty: none is missing
  InDefault rest;
  std::vector<MissingIndex> missing;
  NextRanges next;
  std::optional<Partman> partman;  // what looks after it besides
};

// `ahead`: how many ranges belong beyond the newest row and the clock. Throws run::Failure (usage):
// unknown, not partitioned.
Task<Inspection> Inspect(Session& session, std::string table, int ahead, std::string time_zone);

// Pure: of members in the order of their bounds.
std::vector<Gap> FindGaps(const std::vector<Member>& members);
// Where members that OrderBounds has put in order end, as --from reads it; empty: they have no end.
std::string EndOfOrdered(const std::vector<Member>& members);

}  // namespace pgalter::partition
