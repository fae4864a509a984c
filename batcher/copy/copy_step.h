// Steps of kind "copy": every row of the source into the shadow, which has no index yet.
//
// Windows of blocks, several sessions, one transaction a chunk with its record. No row is locked:
// what users change meanwhile is in the log, and nothing is applied from there before the last
// chunk has committed, so no late chunk can bring a deleted row back.
//
// Lock: ACCESS SHARE on the source. Blocks: nobody. On crash: whole chunks are there or not; it
// goes on with the others. Undo: the shadow goes as a whole.
#pragma once

#include "engine/run/step_handler.h"

namespace pgalter::copy {

class CopyStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
};

}  // namespace pgalter::copy
