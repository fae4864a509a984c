// Steps of kind "partition-release": the last of a repart and of a merge. What is left goes: the
// old partition, the log, and the guard of those whose snapshot is from before, once nobody has
// one.
//
// Lock: ACCESS EXCLUSIVE on the whole and the new partitions, under the ladder, for their guards.
// Blocks: everybody on it, for at most the hold budget. On crash: rolled back, or goes on. Undo:
// none, what was before is gone.
#pragma once

#include <string>
#include <vector>

#include "engine/run/step_handler.h"

namespace pgalter::partition {

using run::Task;

// In the transaction of the exchange: the statements that guard the whole, and what the ledger says
// of them. `schema`: of the guard's function; `partitions`: those that came, since users may name
// them.
Task<std::vector<std::string>> GuardWhole(run::Environment& env, std::string schema,
                                          std::string whole, std::vector<std::string> partitions);
Task<> RecordWholeGuard(run::Environment& env, std::string schema, std::string whole,
                        std::vector<std::string> partitions);

// What the run's ledger still names goes, under the ladder: guards, what was captured, tables.
// Readers of standbys are waited for. Throws run::Failure: the lock was not obtained.
Task<> DropWhatIsLeft(run::Environment& env, async::Stopper& stopper);

class ReleaseStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
  [[nodiscard]] bool UndoesNothing(const state::Step&) const override { return true; }
};

}  // namespace pgalter::partition
