#include "engine/run/ddl_step.h"

#include "engine/run/undo.h"

namespace pgalter::run {

Task<bool> DdlStep::Done(Environment&, const state::Step&) {
  co_return false;  // had it been done, it would have been recorded with it
}

Task<> DdlStep::Do(Environment& env, const state::Step& step) {
  Transacted what;
  what.sql = step.sql;
  what.holding = holding_;
  co_await Transact(env, step, std::move(what), env.stopper);
}

Task<> DdlStep::Undo(Environment& env, const state::Step& step) {
  if (step.state == state::StepState::kDone) co_await UndoByStatements(env, step);
}

}  // namespace pgalter::run
