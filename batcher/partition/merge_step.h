// Merge: neighbouring partitions become one. Of small ones, as old months often are, and of those
// without a key, the rows are moved under the lock, within the hold budget; larger ones are copied
// into the new one under their users, as by a split (repart.h).
//
// Steps of kind "partition-merge", for what is moved under the lock.
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
  PreparedRepart repart;            // one target; by copy, or under the lock
  std::vector<std::string> merged;  // quoted, with their schema
  run::Pace pace;                   // as the user gave it, of a merge under the lock
};

struct MergeWish {
  std::vector<std::string> partitions;  // as the user wrote them
  std::string name;                     // not quoted; empty: that of the first
  async::Milliseconds hold_budget{1000};
};

// By copy, where they have a key and are larger than what is moved within the hold budget. Writes
// nothing: what the server refuses of a copy is tried in a transaction that is rolled back. Throws
// run::Failure.
Task<PreparedMerge> PrepareMerge(Session& session, MergeWish wish);

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
