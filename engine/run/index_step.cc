#include "engine/run/index_step.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "engine/run/concurrent_index.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"
#include "engine/run/undo.h"

namespace pgalter::run {

Task<bool> ConcurrentIndexStep::Done(Environment&, const state::Step&) {
  co_return false;  // Do looks, and settles the ledger with it
}

Task<> ConcurrentIndexStep::Do(Environment& env, const state::Step& step) {
  co_await BuildIndex(env, step, step.sql.at(0), state::StepState::kDone, env.stopper);
}

Task<> ConcurrentIndexStep::Undo(Environment& env, const state::Step& step) {
  if (step.state == state::StepState::kDone) {
    co_await UndoByStatements(env, step);
    co_return;
  }
  async::Stopper never;
  guard::Session session = co_await OpenAsRole(env);
  co_await DropUnfinishedIndexes(session, env.observer, env.run.id, never, env.progress);
}

namespace {

constexpr const char* kDefinition = "definition";

std::vector<std::string> KeptDefinition(const state::Step& step) {
  std::vector<std::string> statements;
  const auto* kept = step.spec.if_contains(kDefinition);
  if (kept == nullptr) return statements;
  for (const auto& statement : kept->as_array()) statements.emplace_back(statement.as_string());
  return statements;
}

// The server knows best what the index is; once it is being dropped, nobody does.
Task<> KeepDefinition(Environment& env, state::Step step, sql::QualifiedName index) {
  if (!step.undo.empty() || step.spec.contains(kDefinition)) co_return;
  const auto statements = co_await StatementsThatMake(env, std::move(index));
  boost::json::array kept;
  for (const std::string& statement : statements) kept.emplace_back(statement);
  step.spec[kDefinition] = std::move(kept);
  co_await state::RecordSpec(env.main, env.lease, step);
}

}  // namespace

Task<bool> DropIndexStep::Done(Environment&, const state::Step&) { co_return false; }

Task<> DropIndexStep::Do(Environment& env, const state::Step& step) {
  const auto index = PlannedStep(step).index;
  if (!index)
    throw Failure(ExitCode::kError,
                  fmt::format("step {} of run {} does not name its index", step.id, env.run.id));
  co_await KeepDefinition(env, step, *index);
  co_await DropIndex(env, *index, Dropping::kAny, env.stopper);
}

// Begun, it may have made the index invalid, or dropped it.
Task<> DropIndexStep::Undo(Environment& env, const state::Step& step) {
  const auto index = PlannedStep(step).index;
  state::Step back = step;
  if (back.undo.empty()) back.undo = KeptDefinition(step);
  if (back.undo.empty() || !index) co_return;
  async::Stopper never;
  co_await DropIndex(env, *index, Dropping::kOnlyInvalid, never);
  co_await UndoByStatements(env, back);
}

}  // namespace pgalter::run
