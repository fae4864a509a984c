// Merge: neighbouring partitions become one. For small ones, as old months often are: their rows
// are moved under the lock, within the hold budget.
//
// Steps of kind "partition-merge".
// Lock: ACCESS EXCLUSIVE on the whole, its partitions, and the tables that its foreign keys refer
// to, in one LOCK TABLE, under the ladder. Blocks: everybody on them, for at most the hold budget;
// what takes longer is rolled back. On crash: rolled back; it records itself in its transaction.
// Undo: the same the other way round.
#pragma once

#include <string>
#include <vector>

#include "batcher/partition/repart.h"
#include "engine/run/plan_spec.h"
#include "engine/run/step_handler.h"

namespace pgalter::partition {

struct PreparedMerge {
  RepartSpec spec;  // one target; the source is empty
  double rows = 0;  // estimate, of all
  std::int64_t bytes = 0;
  std::vector<std::string> merged;     // quoted, with their schema
  std::vector<std::string> referring;  // as of PreparedRepart
  boost::json::array back;             // as they are
  run::Pace pace;                      // as the user gave it
  lock::LadderOptions ladder;
};

// By the user's text; `name` is not quoted, empty: that of the first. Writes nothing. Throws
// run::Failure.
Task<PreparedMerge> PrepareMerge(Session& session, std::vector<std::string> partitions,
                                 std::string name);

// Throws state::TableTaken.
Task<std::string> CreateMergeRun(Session& session, const PreparedMerge& prepared);

class MergeStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
  run::Task<bool> StillStands(run::Environment& env, const state::Step& step) override;
};

}  // namespace pgalter::partition
