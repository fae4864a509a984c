// Premake: which range partitions a table needs next, as statements for a plan.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/partition/moment.h"

namespace pgalter::partition {

// Ranges that rows of the default partition belong into, which have to be moved there first.
enum class Misplaced { kWithThem, kLeftOut };

struct PremakeWish {
  std::string table;
  std::string every;  // empty: as wide as the last one
  std::string time_zone = "UTC";
  int premake = 4;
  Epoch epoch = Epoch::kNone;  // of integers
  Misplaced misplaced = Misplaced::kWithThem;
};

struct Premake {
  std::string table;                // quoted, with its schema
  std::string until;                // a literal: where the last partition ends now
  std::vector<Range> ranges;        // that are missing
  std::string inside;               // the rows that belong into them, as a condition
  bool divided = false;             // they are to be partitioned themselves, as the last one is
  std::vector<std::string> names;   // theirs, quoted, with their schema
  std::vector<std::string> script;  // CREATE TABLE … PARTITION OF …, without semicolons
  std::string nothing;              // why there never is one to be made; empty: there may be
  // For rows of the default partition that are near, and in no range: a gap, or before the first.
  std::vector<Range> behind;
  std::vector<std::string> remarks;  // rows that have to stay in the default partition, and why
};

// Ranges follow the ones that reach to the clock, and fill gaps, so that so many lie beyond the
// clock and the newest row that is no further ahead than a dozen of them or so many (of numbers:
// beyond the newest row). None follow a range without an end, and ranges of a type that no width
// counts. Reads the table; writes nothing. Throws run::Failure: not partitioned by range of one
// column, or a width that cannot be told.
Task<Premake> FindPremake(Session& session, PremakeWish wish);

struct ToMaintain {
  std::string name;        // quoted, with its schema
  bool has_range = false;  // else there is nothing to go on from, and FindPremake throws
};

// The tables that FindPremake has a say about and the role may change: by range of one column of a
// type that a width counts, no partitions themselves, and not pg_partman's. Reads only.
Task<std::vector<ToMaintain>> TablesToMaintain(Session& session);

}  // namespace pgalter::partition
