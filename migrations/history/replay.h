#pragma once

// pgalter.migration against the log of what was done: a row that somebody changed, put in or
// deleted by hand is not what the log's entries lead to. Pure.
//
// Entries that older versions wrote say less of a row: what they do not say is not compared.

#include <vector>

#include "migrations/history/compare.h"
#include "migrations/history/store.h"

namespace pgalter::history {

// In the order of their versions. Both of one snapshot.
[[nodiscard]] std::vector<Divergence> CompareWithLog(const std::vector<Event>& events,
                                                     const std::vector<Applied>& applied);

}  // namespace pgalter::history
