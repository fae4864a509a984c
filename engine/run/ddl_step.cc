#include "engine/run/ddl_step.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/run/contradicted.h"
#include "engine/run/old_snapshots.h"
#include "engine/run/plan_spec.h"
#include "engine/run/undo.h"
#include "planner/sql/ast/object.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/ast/table.h"

namespace pgalter::run {

namespace {

namespace ast = sql::ast;

// Whether a column goes and another gets its name, whose values came later than the column: in a
// snapshot from before, what is read by that name would be empty.
bool ReplacesAColumn(const std::vector<std::string>& statements) {
  std::vector<std::pair<sql::QualifiedName, std::string>> gone;
  for (const std::string& text : statements) {
    const auto statement = ast::ReadStatement(text);
    if (!statement) continue;
    if (const auto* alter = statement->As<ast::AlterTable>())
      for (const ast::TableCommand& command : alter->commands)
        if (command.change == ast::TableChange::kDropColumn)
          gone.emplace_back(alter->name, command.name);
    const auto* rename = statement->As<ast::Rename>();
    if (rename != nullptr && rename->kind == ast::ObjectKind::kColumn &&
        std::ranges::count(gone, std::pair(rename->name, rename->new_name)) > 0)
      return true;
  }
  return false;
}

}  // namespace

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
  OldSnapshots old;
  auto await_them = [&]() -> Task<> { co_await old.Await(env.main); };
  // Its own statements take the locks: somebody may be idle by then who was at work before.
  auto await_idle = [&]() -> Task<> { co_await AwaitOldSnapshots(env.main); };
  const bool replaces = ReplacesAColumn(step.sql);
  if (replaces) {
    co_await old.RememberOnce(env.main);
    what.before = await_them;
    what.body = await_idle;
  }
  std::optional<pg::PgError> contradicted;
  try {
    co_await Transact(env, step, std::move(what), env.stopper);
  } catch (const pg::PgError& error) {
    if (!IsContradiction(error)) throw;
    contradicted = error;
  }
  if (contradicted) co_await TakeBackContradicted(env, step, *contradicted);
}

Task<> DdlStep::Undo(Environment& env, const state::Step& step) {
  if (step.state == state::StepState::kDone) co_await UndoByStatements(env, step);
}

}  // namespace pgalter::run
