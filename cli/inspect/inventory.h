// `pgalter inspect tables|indexes|constraints`: of a whole database, or of one table and its
// partitions. Each prints text, with notes on what stands in the way of a change, or JSON.
#pragma once

#include <string>

#include "cli/context.h"
#include "engine/guard/session.h"

namespace pgalter::cli {

// `table`: 0 for all. `most`: lines of text; JSON has all.
Task<ExitCode> InspectTables(const Context& context, guard::Session& session, pg::Oid table,
                             int most);
Task<ExitCode> InspectIndexes(const Context& context, guard::Session& session, pg::Oid table,
                              int most);
Task<ExitCode> InspectConstraints(const Context& context, guard::Session& session, pg::Oid table,
                                  int most);

// What was left out of the text.
std::string MoreNote(std::size_t all, int most);

}  // namespace pgalter::cli
