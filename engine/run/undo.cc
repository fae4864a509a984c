#include "engine/run/undo.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/run/autocommit_step.h"
#include "engine/run/concurrent_index.h"
#include "engine/run/contradicted.h"
#include "engine/run/own_checks.h"
#include "engine/run/plan_spec.h"
#include "engine/run/transact.h"
#include "planner/sql/ast/statement.h"

namespace pgalter::run {

namespace {

Task<> UndoAlone(Environment& env, const state::Step& step, std::string sql,
                 state::StepState becomes, async::Stopper& stopper) {
  const auto statement = sql::ast::ReadStatement(sql);
  if (statement) {
    const auto* drop = statement->As<sql::ast::Drop>();
    if (drop != nullptr && drop->concurrently && !drop->names.empty()) {
      co_await DropIndex(env, drop->names.front(), Dropping::kAny, stopper);
      co_return;
    }
    const auto* create = statement->As<sql::ast::CreateIndex>();
    if (create != nullptr && create->concurrently) {
      co_await BuildIndex(env, step, std::move(sql), becomes, stopper);
      co_return;
    }
  }
  guard::Session session = co_await OpenAsRole(env);
  std::optional<pg::PgError> contradicted;
  try {
    co_await RunAlone(env, session, sql, stopper);
  } catch (const pg::PgError& error) {
    if (!IsContradiction(error)) throw;
    contradicted = error;
  }
  if (contradicted) co_await DropContradicted(env, session, step, std::move(sql), *contradicted);
}

// A transaction that is not recorded was rolled back; of anything else nobody knows.
bool MayHaveHappened(const state::Step& step) {
  if (step.state == state::StepState::kDone) return true;
  return step.state == state::StepState::kRunning && !step.spec.contains(kUntouched) &&
         PlannedStep(step).transaction == plan::Transaction::kNone;
}

}  // namespace

Task<> UndoByStatements(Environment& env, const state::Step& step) {
  if (step.undo.empty()) co_return;
  // An abort is a stop already: what takes back gets a stopper of its own.
  async::Stopper never;
  const plan::Step planned = PlannedStep(step);
  if (planned.undo_transaction == plan::Transaction::kNone) {
    // An index records its step with itself: before the last statement nothing is undone yet.
    for (const std::string& sql : step.undo) {
      const auto becomes =
          &sql == &step.undo.back() ? state::StepState::kUndone : state::StepState::kDone;
      co_await UndoAlone(env, step, sql, becomes, never);
    }
    co_return;
  }
  Transacted what;
  what.sql = co_await WhereTheyAre(env, step.undo);
  what.becomes = state::StepState::kUndone;
  co_await Transact(env, step, std::move(what), never);
}

bool IsNoReturn(const state::Step& step) {
  const auto* own = step.spec.if_contains(kNoReturn);
  return own != nullptr ? own->as_bool() : PlannedStep(step).point_of_no_return;
}

bool MayBePastReturn(const state::Step& step) {
  // Those whose handlers can ask the server (StepHandler::Untouched).
  constexpr std::array<std::string_view, 2> kAsking{"detach", "backfill"};
  return step.state == state::StepState::kRunning && IsNoReturn(step) && MayHaveHappened(step) &&
         std::ranges::find(kAsking, step.kind) != kAsking.end();
}

const state::Step* PassedNoReturn(const std::vector<state::Step>& steps) {
  for (const state::Step& step : steps)
    if (IsNoReturn(step) && MayHaveHappened(step)) return &step;
  return nullptr;
}

}  // namespace pgalter::run
