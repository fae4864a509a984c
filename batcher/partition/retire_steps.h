// The steps of a retention, each of one partition that is detached by the step before it.
#pragma once

#include "engine/run/step_handler.h"

namespace pgalter::partition {

// In the steps' specs.
inline constexpr const char* kRetiredOid = "relid";
inline constexpr const char* kFolder = "folder";
inline constexpr const char* kExported = "exported";  // it must be, before it is dropped

inline constexpr const char* kReturn = "return";  // where it was

// Steps of kind "partition-return": before a partition is detached, for the way back.
//
// Lock, blocks, on crash: none, it does nothing there. Undo: a detached partition that is not
// dropped is attached again. Its bound is proved by a CHECK that is validated before, that of the
// default partition as well, so that nothing is read under the locks: SHARE UPDATE EXCLUSIVE on the
// whole, ACCESS EXCLUSIVE on the default partition, under the ladder.
class ReturnStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
  run::Task<bool> StillStands(run::Environment& env, const state::Step& step) override;
};

// Steps of kind "partition-retire": from now on the partition waits to be dropped.
//
// Lock: none. On crash: rolled back; it records itself. Undo: nothing to undo.
class RetireStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
  [[nodiscard]] bool UndoesNothing(const state::Step&) const override { return true; }
};

// Steps of kind "partition-export": the rows into a file, with its checksum in the state.
//
// Lock: ACCESS SHARE. Blocks: nobody. On crash: written anew; a file is there as a whole or not.
// Undo: nothing to undo, the file stays.
class ExportStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
  [[nodiscard]] bool UndoesNothing(const state::Step&) const override { return true; }
};

// Steps of kind "partition-drop": the detached table goes. One that was exported is read once more
// under the lock, and compared with its file; a legal hold, an attached or a changed table stops
// it.
//
// Lock: ACCESS EXCLUSIVE on the table, and for an instant on those that its foreign keys refer to,
// under the ladder. Blocks: users of the detached table alone, for as long as it is read. On crash:
// rolled back; it records itself. Undo: none.
class DropStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
};

}  // namespace pgalter::partition
