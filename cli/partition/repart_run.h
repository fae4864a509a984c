// The run of a repart: shown, asked about, and made.
#pragma once

#include <string>

#include "batcher/partition/repart.h"
#include "cli/context.h"

namespace pgalter::cli {

// The run's id; empty: it was --dry-run.
Task<std::string> StartRepart(const Context& context, guard::Session& session,
                              const partition::PreparedRepart& prepared, std::string command);

}  // namespace pgalter::cli
