// A verb whose change is DDL that the planner makes harmless: shown, asked about, and run.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "engine/guard/session.h"

namespace pgalter::cli {

// What `plan` finds out before a run, however long somebody keeps readers from a partition
// (batcher/partition/patience.h). `tried`: "make a partition of t".
Task<> PlanPatiently(const Context& context, guard::Session& session, std::string tried,
                     std::function<Task<>()> plan);

struct Planned {
  std::string table;                      // that is changed, quoted, with its schema
  std::vector<std::string> script;        // by statements without semicolons
  std::vector<std::string> partitions{};  // that come or go, quoted, with their schema
  std::string question{};                 // before it is begun
};

// `also`, with the run's id, is done in the transaction that makes the run. The run's id; empty: it
// was --dry-run, and shown.
Task<std::string> StartPlanned(const Context& context, guard::Session& session, Planned what,
                               std::function<Task<>(std::string run)> also = {});

// In the foreground, or behind it with --detach. Without a run there is nothing to do.
Task<ExitCode> FollowRun(const Context& context, std::string run);

}  // namespace pgalter::cli
