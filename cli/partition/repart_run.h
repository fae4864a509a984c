// The run of a repart: shown, asked about, and made.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "batcher/partition/repart.h"
#include "cli/context.h"

namespace pgalter::cli {

// What users of tables that refer to the whole meet; empty: there are none.
std::string AboutReferring(const std::vector<std::string>& tables, const std::string& whole);

// Before all the copying: in the exchange the foreign keys of the whole to itself would take longer
// than users may wait. Throws run::Failure (refused).
Task<> RefuseManyKeys(guard::Session& session, const partition::PreparedRepart& prepared);

// The run's id; empty: it was --dry-run. `exchanges`: how many new partitions are put in place by
// each run, this one being the first.
Task<std::string> StartRepart(const Context& context, guard::Session& session,
                              const partition::PreparedRepart& prepared, std::string command,
                              std::vector<std::size_t> exchanges);

}  // namespace pgalter::cli
