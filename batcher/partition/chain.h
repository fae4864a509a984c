// Chain: the ranges that follow one another without a gap, from the one of the clock on. What
// begins far behind it, after a gap, is no reason to make nothing before it. Reads only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/partition/bounds.h"
#include "batcher/partition/whole.h"

namespace pgalter::partition {

// By places in `members`, which are in the order of their bounds.
struct Chain {
  std::optional<std::size_t> last;  // none: the clock is before all ranges
  std::optional<std::size_t> next;  // the range behind the gap; none: there is none
};

// Of times. A clock that is in a gap has the chain that ends before it.
Task<Chain> ChainOfClock(Session& session, const std::vector<Member>& members, KeyColumn column,
                         std::string time_zone);
// Of numbers, which have no clock: the one with the last range. Pure.
Chain LastChain(const std::vector<Member>& members);
// The one that begins with the range at `first`. Pure.
Chain ChainFrom(const std::vector<Member>& members, std::size_t first);

}  // namespace pgalter::partition
