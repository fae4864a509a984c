// Duplicates: which rows keep a unique index from being made.
#pragma once

#include <string>

#include "batcher/capture/flow.h"
#include "batcher/rebuild/definition.h"

namespace pgalter::rebuild {

// What is said of them, with the way out. `index` is unique, and was refused with 23505.
Task<std::string> DescribeDuplicates(Session& session, const capture::Flow& flow,
                                     const Index& index);

}  // namespace pgalter::rebuild
