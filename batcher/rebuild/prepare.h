// What comes before a rebuild: everything that can be refused is refused here, with nothing
// written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/backfill/target.h"
#include "batcher/rebuild/spec.h"
#include "planner/plan/plan.h"

namespace pgalter::rebuild {

using async::Task;
using guard::Session;

// What is to become of one table, for people.
struct Asked {
  std::string table;
  std::string change;  // "ALTER id TYPE bigint; total = net * 1.19"
};

struct Prepared {
  Spec spec;  // settled: with the role's settings
  backfill::Table table;
  std::vector<backfill::Table> companions;
  double rows = 0;         // estimate
  std::int64_t bytes = 0;  // of the tables with their indexes
  std::vector<std::string> remarks;
  std::vector<plan::Step> before;  // of the run, on the tables as they are
  std::vector<pg::Oid> also;       // other tables that these change: the run's, too
  std::string command;             // the command that people gave; empty: rebuild
  // For so long users may wait while the tables change places.
  std::optional<async::Milliseconds> hold_budget;

  [[nodiscard]] std::string tables() const;  // "public.a, public.b"
  [[nodiscard]] std::vector<Asked> asked() const;
};

// kRehearse makes the shadow in a transaction that is rolled back: what the server refuses is known
// before there is a run. kLookOnly is for a read-only session.
enum class Checking { kLookOnly, kRehearse };

// Throws run::Failure.
Task<Prepared> Prepare(Session& session, Spec spec, Checking how);

// Inserts the run with its steps; returns its id. Throws state::TableTaken.
Task<std::string> CreateRun(Session& session, const Prepared& prepared);

}  // namespace pgalter::rebuild
