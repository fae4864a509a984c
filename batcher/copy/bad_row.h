// Bad row: which row of a chunk the new table does not take, so that people can mend it.
#pragma once

#include <optional>
#include <string>

#include "batcher/backfill/window_set.h"
#include "batcher/capture/flow.h"
#include "engine/run/step_handler.h"

namespace pgalter::copy {

using run::Task;

// Tries halves of the window of `part`, which holds rows of the flow's source, each rolled back,
// down to one row. nullopt: it was changed meanwhile, and all rows fit now.
struct BadRow {
  std::string key;  // "(id) = (5)"
  pg::PgError error;
};
Task<std::optional<BadRow>> FindBadRow(guard::Session& session, const capture::Flow& flow,
                                       std::string part, backfill::Window window);

// What is said of a row that does not fit, with the way out.
[[noreturn]] void ThrowBadRow(const capture::Flow& flow, const std::string& run,
                              const std::string& key, const pg::PgError& error);

// What the server said of a row, without the values that it quotes: they are nobody's business who
// reads a log.
std::string WithoutValues(const pg::PgError& error);

}  // namespace pgalter::copy
