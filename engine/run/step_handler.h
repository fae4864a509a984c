// StepHandler: what one kind of step does. Engine declares the port, other rooms implement it, cli
// joins them in a table.
//
// A step is: done? (from the catalog) -> do -> recorded. A transactional step records itself in its
// own transaction, so it happens exactly once; Do of any other kind can be entered again after a
// crash and must go on from what it finds.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "engine/async/stopper.h"
#include "engine/guard/session.h"
#include "engine/run/outside.h"
#include "engine/run/progress.h"
#include "engine/state/control.h"
#include "engine/state/runs.h"
#include "engine/state/steps.h"

namespace pgalter::run {

using async::Task;

struct Environment {
  guard::SessionOptions sessions;  // how to open one more session of this run
  guard::Session& main;
  guard::Session& observer;  // looks while `main` waits
  async::Stopper& stopper;
  guard::Lease lease;
  const state::Run& run;
  Progress& progress;
  const state::Control& control;  // as last read; changes while a step runs
  Outside* outside = nullptr;     // null: there is none
};

class StepHandler {
 public:
  StepHandler() = default;
  StepHandler(const StepHandler&) = delete;
  StepHandler& operator=(const StepHandler&) = delete;
  virtual ~StepHandler() = default;

  virtual Task<bool> Done(Environment& env, const state::Step& step) = 0;
  virtual Task<> Do(Environment& env, const state::Step& step) = 0;
  // Takes back what the step made, as far as it was made. Idempotent.
  virtual Task<> Undo(Environment& env, const state::Step& step) = 0;
  // Users meet something else once it is done, and nobody else asks whether it may begin now.
  [[nodiscard]] virtual bool CutsOver() const { return false; }
  // Undo has nothing to take back: while only such steps were asked, the run is what it was.
  [[nodiscard]] virtual bool UndoesNothing(const state::Step&) const { return false; }
  // Asked after a Do that has failed, of a step that no transaction holds and nothing takes back:
  // the server has changed nothing by it, nor will.
  virtual Task<bool> Untouched(Environment&, const state::Step&) { co_return false; }
  // Asked after an Undo that has failed: nothing of what the step did was taken back.
  virtual Task<bool> StillStands(Environment&, const state::Step&) { co_return false; }
};

using Handlers = std::map<std::string, StepHandler*, std::less<>>;

}  // namespace pgalter::run
