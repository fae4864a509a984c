// Bounds, as the options of a verb say them.
#pragma once

#include <string>

#include "batcher/partition/bound_wish.h"
#include "batcher/partition/moment.h"
#include "cli/context.h"

namespace pgalter::cli {

struct NamedBound {
  std::string name;  // "eu" of --values eu=de,fr; empty: none was given
  partition::BoundWish wish;
};

// Throws Rejected (usage).
NamedBound BoundOf(const Context& context);

// Throws Rejected (usage).
partition::Epoch EpochOf(const Context& context);

}  // namespace pgalter::cli
