// The two steps of a split that are no plain DDL.
#pragma once

#include "engine/run/step_handler.h"

namespace pgalter::split {

// Steps of kind "split-copy": the rows that were there before the triggers, in ranges of the key;
// then both tables are compared.
//
// Lock: ROW SHARE on the source, FOR SHARE on a chunk's rows. Blocks: writers of these rows, for a
// chunk's time. On crash: whole chunks are there or not; it goes on behind the last one. Undo: the
// new table goes as a whole, with the step that made it.
class CopyStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
};

// Steps of kind "split-swap": both tables are compared once more, and if the triggers have been
// there without a gap since before that, the new one takes the view's place and the columns go.
//
// Lock: ACCESS EXCLUSIVE on the view and the source. Blocks: everybody, for at most the hold
// budget. On crash: rolled back, or recorded with its own commit. Undo: none, it is a point of no
// return.
class SwapStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
  [[nodiscard]] bool CutsOver() const override { return true; }
};

}  // namespace pgalter::split
