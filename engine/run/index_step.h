// Steps of kinds "concurrent-index" (CREATE and REINDEX … CONCURRENTLY) and "drop-index".
//
// Lock: SHARE UPDATE EXCLUSIVE on the table. Blocks: nobody's rows; other DDL on the table waits,
// and the step waits for older transactions.
// On crash: what was begun is invalid and in the ledger; it is dropped and built anew, once the
// orphan's session has ended. Undo: the index is dropped, or built again, concurrently.
#pragma once

#include "engine/run/step_handler.h"

namespace pgalter::run {

class ConcurrentIndexStep : public StepHandler {
 public:
  Task<bool> Done(Environment& env, const state::Step& step) override;
  Task<> Do(Environment& env, const state::Step& step) override;
  Task<> Undo(Environment& env, const state::Step& step) override;
};

class DropIndexStep : public StepHandler {
 public:
  Task<bool> Done(Environment& env, const state::Step& step) override;
  Task<> Do(Environment& env, const state::Step& step) override;
  Task<> Undo(Environment& env, const state::Step& step) override;
};

}  // namespace pgalter::run
