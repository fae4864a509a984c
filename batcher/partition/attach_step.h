// Steps of kind "partition-attach": the partitioned table takes the place of the plain one, which
// becomes its first partition. No row is read and none is moved.
//
// Lock: ACCESS EXCLUSIVE on the table and on those that foreign keys join to it, in one LOCK TABLE,
// under the ladder. Blocks: everybody on them, for at most the hold budget. On crash: rolled back;
// it records itself in its transaction. Undo: the table is detached and takes its place again; rows
// that users have written into the other partitions since are moved into it under the lock.
#pragma once

#include "engine/run/step_handler.h"
#include "engine/state/runs.h"

namespace pgalter::partition {

// Before a conversion is taken back. Throws run::Failure (refused): the table that was attached is
// no partition of the whole any more, since users, `detach` or `retain` have let it go.
run::Task<> RefuseLostTable(guard::Session& session, const state::Run& run);

class AttachStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
  run::Task<bool> StillStands(run::Environment& env, const state::Step& step) override;
  [[nodiscard]] bool CutsOver() const override { return true; }
};

// Steps of kind "partition-settle": foreign keys that were added NOT VALID are validated; what is
// left of the identity of a table that was attached is dropped.
//
// Lock: SHARE UPDATE EXCLUSIVE on the table that has the key, ROW SHARE on the other; for the
// identity ACCESS EXCLUSIVE on the partition, for an instant. Blocks: nobody's rows but for that
// instant. On crash: goes on. Undo: nothing to undo.
class SettleStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
  [[nodiscard]] bool UndoesNothing(const state::Step&) const override { return true; }
};

}  // namespace pgalter::partition
