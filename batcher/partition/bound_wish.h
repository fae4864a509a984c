// BoundWish: where one partition begins and ends, as somebody said it on a command line, and what
// the server makes of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/partition/given.h"
#include "batcher/partition/whole.h"

namespace pgalter::partition {

struct BoundWish {
  Givens from;  // one for each column of the key; empty: it is not said
  Givens to;
  Givens values;
  std::optional<int> modulus;  // of a hash
  std::optional<int> remainder;
  bool is_default = false;
  std::string time_zone = "UTC";  // of times without one
  // For refusals: the option and the partition, "--at c of public.t_b"; empty: --from and --to, of
  // the whole.
  std::string told = {};
};

// "--from 1 --to 5 of public.t"
std::string ToldOf(const BoundWish& wish, const std::string& of);

struct Bound {
  std::string text;    // "FOR VALUES FROM (…) TO (…)", which means the same in every session
  std::string inside;  // the rows that belong there, as a condition; empty: none can say it
  // Those that do not: a default partition with a CHECK of it need not be read.
  std::string outside;
  std::string end;  // what tells the partition's name from the others: "_p2026_01_01"
};

// Of a range also where two values lie: dates for a column of type uuid are the least uuid of
// version 7 of that moment. Throws run::Failure (usage): not what this table is parted by, a value
// that its type does not have, an end that is not after the beginning; (refused): another partition
// has some of it.
Task<Bound> SettleBound(Session& session, const Whole& whole, const std::vector<Member>& members,
                        BoundWish wish);

// Rows of the default partition for which this is true. Reads it.
Task<std::int64_t> CountInDefault(Session& session, const Whole& whole, std::string inside);

// Throws run::Failure (refused): the default partition has such rows, which would be in the way of
// a partition for them.
Task<> RefuseRowsInDefault(Session& session, const Whole& whole, std::string inside);

}  // namespace pgalter::partition
