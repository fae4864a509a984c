#include "engine/run/ddl_step.h"

#include "engine/run/plan_spec.h"
#include "engine/run/undo.h"

namespace pgalter::run {

Task<bool> DdlStep::Done(Environment&, const state::Step&) {
  co_return false;  // had it been done, it would have been recorded with it
}

// Few steps do: a session for those alone.
Task<std::vector<Leaving>> DdlStep::Leave(Environment& env, const state::Step& step,
                                          std::string& why_slow) {
  std::vector<std::string> detaching;
  for (const std::string& sql : step.sql)
    if (DetachesAtOnce(sql)) detaching.push_back(sql);
  if (detaching.empty()) co_return std::vector<Leaving>{};
  guard::Session session = co_await OpenAsRole(env);
  why_slow = co_await WhySlowIs(env, session, referrers_, detaching);
  co_return co_await LeavingBy(env, session, referrers_, std::move(detaching));
}

Task<> DdlStep::Do(Environment& env, const state::Step& step) {
  Transacted what;
  what.sql = step.sql;
  what.holding = holding_;
  const std::vector<Leaving> leaving = co_await Leave(env, step, what.why_slow);
  auto nobody_refers = [&]() -> Task<> { co_await RefuseReferred(env, referrers_, leaving); };
  if (!leaving.empty()) what.body = nobody_refers;
  co_await Transact(env, step, std::move(what), env.stopper);
}

Task<> DdlStep::Undo(Environment& env, const state::Step& step) {
  if (step.state == state::StepState::kDone) co_await UndoByStatements(env, step);
}

}  // namespace pgalter::run
