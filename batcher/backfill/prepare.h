// What comes before a backfill: everything that can be refused is refused here, with nothing
// written.
#pragma once

#include <string>
#include <vector>

#include "batcher/backfill/target.h"
#include "engine/state/steps.h"

namespace pgalter::backfill {

struct Prepared {
  Spec spec;  // settled: settings, resolved expressions, alias, has_trigger
  Table table;
  Resolved resolved;
  Work work;
  std::vector<Leaf> leaves;
  std::vector<std::string> triggers;  // of users, that every updated row fires
  std::vector<std::string> remarks;   // what people should know before they say yes
};

// Throws run::Failure. With Resolving::kAsWritten nothing is written, not even a temporary view.
Task<Prepared> Prepare(Session& session, Spec spec, Resolving how);

// Inserts the run with its steps, `then` behind them; returns its id. Throws state::TableTaken.
Task<std::string> CreateRun(Session& session, const Prepared& prepared,
                            std::vector<state::Step> then = {});

}  // namespace pgalter::backfill
