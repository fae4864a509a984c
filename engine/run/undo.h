// Taking a done step of a plan back by the statements that the plan has for it.
#pragma once

#include "engine/run/step_handler.h"

namespace pgalter::run {

// In one transaction, which records it; statements CONCURRENTLY each by itself, and only as far as
// there is something left to take back.
Task<> UndoByStatements(Environment& env, const state::Step& step);

// The first step that was begun and cannot be taken back; nullptr: there is none.
const state::Step* PassedNoReturn(const std::vector<state::Step>& steps);
// Set in a step's spec by a run that has no plan, as soon as it is known.
inline constexpr const char* kNoReturn = "no_return";
// Set in the spec of a step that was begun and is known to have changed nothing, until it is begun
// again.
inline constexpr const char* kUntouched = "untouched";
// Whether the plan, or the step's spec, says that nothing takes it back.
bool IsNoReturn(const state::Step& step);
// It was begun, nothing takes it back, and the server, not the state, knows whether it has
// happened.
bool MayBePastReturn(const state::Step& step);

}  // namespace pgalter::run
