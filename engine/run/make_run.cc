#include "engine/run/make_run.h"

#include <fmt/format.h>

#include <optional>
#include <set>

#include "engine/async/fail_point.h"
#include "engine/guard/role_settings.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "engine/run/legal_hold.h"
#include "engine/run/rebuild_parts.h"
#include "engine/run/server_refusal.h"
#include "engine/state/asked.h"
#include "planner/plan/fingerprint.h"
#include "planner/plan/json.h"
#include "planner/plan/refuse_where.h"

namespace pgalter::run {

namespace {

void RefuseFailing(const plan::Plan& plan) {
  for (const plan::Statement& statement : plan.statements) {
    if (plan::HasSteps(statement.answer)) continue;
    const bool fails = statement.answer == plan::Answer::kFails;
    throw Failure(
        ExitCode::kRefused,
        fmt::format("{} (line {}): {}. {}. Nothing was changed",
                    fails ? "the server would refuse this statement" : "a statement is not run",
                    statement.line, statement.sql,
                    statement.remarks.empty() ? "See: pgalter plan" : statement.remarks.front()));
  }
  if (plan.steps.empty())
    throw Failure(ExitCode::kRefused, "the plan has no steps: there is nothing to run");
}

void RefuseUnknownSteps(const plan::Plan& plan) {
  std::set<std::string> ids;
  for (const plan::Step& step : plan.steps) {
    if (step.kind == plan::StepKind::kRebuild && (!step.rebuild || step.locks.empty()))
      throw Failure(ExitCode::kUsage,
                    fmt::format("step {} does not say what it rebuilds: the plan was made by a "
                                "pgalter that could not run it. Make it anew: pgalter plan",
                                step.id));
    if (!ids.insert(step.id).second)
      throw Failure(ExitCode::kUsage, fmt::format("the plan has two steps {}", step.id));
    const bool alone = step.kind == plan::StepKind::kConcurrentIndex ||
                       step.kind == plan::StepKind::kDropIndex ||
                       step.kind == plan::StepKind::kDetach;
    if (alone && step.sql.size() != 1)
      throw Failure(ExitCode::kUsage,
                    fmt::format("step {} ({}) has to be one statement", step.id, Name(step.kind)));
  }
}

void RefuseChangedSchema(const plan::Plan& plan, const catalog::Schema& schema) {
  if (plan.fingerprint.empty()) return;
  const std::string now = plan::FingerprintOf(schema, plan.relations);
  if (now == plan.fingerprint) return;
  std::vector<std::string> names;
  for (const auto& relation : plan.relations) names.push_back(sql::ToString(relation));
  throw Failure(ExitCode::kRefused,
                fmt::format("the schema is not the one that the plan was made for: {} changed "
                            "meanwhile (fingerprint {}, now {}). Nothing was changed. Make the "
                            "plan anew: pgalter plan --dsn …",
                            fmt::join(names, ", "), plan.fingerprint, now));
}

// What the plan's DDL touches; of some a backfill alone changes rows.
std::set<std::string> ChangedBy(const plan::Plan& plan) {
  std::set<std::string> changed;
  for (const plan::Step& step : plan.steps)
    for (const plan::StepLock& lock : step.locks)
      if (lock.mode > locks::LockMode::kRowExclusive) changed.insert(sql::ToString(lock.relation));
  return changed;
}

// What DDL on a table takes; of what it takes besides, the server tells.
Task<> RefuseWithoutOwnership(guard::Session& session, const plan::Plan& plan) {
  for (const std::string& relation : ChangedBy(plan)) {
    const pg::Result row = co_await session.db().Query(
        "SELECT format('%I.%I', n.nspname, c.relname), quote_ident(o.rolname),"
        " quote_ident(current_user), o.rolsuper"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_roles o ON o.oid = c.relowner"
        " WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'p', 'm')"
        " AND NOT pg_has_role(c.relowner, 'USAGE')",
        relation);
    if (row.empty()) continue;
    const auto name = row.Get<std::string>(0, 0);
    const auto owner = row.Get<std::string>(0, 1);
    const auto me = row.Get<std::string>(0, 2);
    const bool is_superuser = row.Get<bool>(0, 3);
    const std::string way = is_superuser ? fmt::format("ALTER TABLE {} OWNER TO {}", name, me)
                                         : fmt::format("GRANT {} TO {}", owner, me);
    throw Failure(
        ExitCode::kUnsupported,
        fmt::format("{} belongs to {}, and {} may not change it (SQLSTATE 42501). Nothing "
                    "was changed. Run as {}, or {}",
                    name, owner, me, owner, way));
  }
}

// What only later steps ask may be seen to by those before them.
Task<> RefuseByFirstStep(guard::Session& session, const plan::Plan& plan) {
  std::vector<pg::Statement> questions;
  for (const std::string& sql : plan.steps.front().sql)
    if (plan::OnlyRefuses(sql)) questions.push_back({sql, {}});
  if (questions.empty()) co_return;
  const guard::Settings settings = co_await guard::RoleSettings(session);
  const guard::Bracket users = guard::Under(settings);
  questions.insert(questions.begin(), users.begin.begin(), users.begin.end());
  auto ask = [&]() -> Task<> { co_await session.db().Pipeline(questions); };
  std::optional<pg::PgError> refusal;
  try {
    co_await guard::RunInTransaction(session, ask);
  } catch (const pg::PgError& error) {
    if (!error.Is(plan::kInTheWay)) throw;
    refusal = error;
  }
  if (refusal)
    throw ServerRefusal(ExitCode::kRefused,
                        fmt::format("{}. Nothing was changed", refusal->fields().message), *refusal,
                        "");
}

state::Step StepOf(const plan::Step& planned) {
  state::Step step;
  step.id = planned.id;
  step.kind = Name(planned.kind);
  step.phase = Name(planned.phase);
  step.sql = planned.sql;
  step.undo = planned.undo;
  step.spec = {{"plan", plan::ToJson(planned)}};
  return step;
}

// Each part records itself in its own transaction, or goes on from what is there.
void AddParts(const plan::Step& planned, std::vector<state::Step>& steps) {
  plan::Step part = planned;
  part.transaction = plan::Transaction::kOwn;
  for (const RebuildPart& kind : kRebuildParts) {
    steps.push_back(StepOf(part));
    state::Step& step = steps.back();
    step.ordinal = static_cast<int>(steps.size());
    step.id = fmt::format("{}-{}", planned.id, kind.kind);
    step.kind = kind.kind;
    step.sql.clear();
  }
}

// What the run is about: the table that people asked for, else the first relation of the plan that
// is there, a table rather than a view that hangs on it.
Task<> FindTarget(guard::Session& session, const PlannedRun& planned, state::Run& run) {
  std::vector<std::string> names;
  if (!planned.table.empty()) names.push_back(planned.table);
  for (const auto& relation : planned.plan.relations) names.push_back(sql::ToString(relation));
  for (const std::string& name : names) {
    if (run.target.empty()) run.target = name;
    const pg::Result row = co_await session.db().Query(
        "SELECT c.oid, format('%I.%I', n.nspname, c.relname), c.relkind IN ('r', 'p') FROM pg_class"
        " c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)",
        name);
    if (row.empty()) continue;
    const bool table = row.Get<bool>(0, 2);
    if (run.relid != 0 && !table) continue;
    run.relid = row.Get<pg::Oid>(0, 0);
    run.target = row.Get<std::string>(0, 1);
    if (table) co_return;
  }
}

// Those that are there already: nobody else begins anything on them.
Task<std::vector<pg::Oid>> ChangedTables(guard::Session& session, const plan::Plan& plan) {
  std::vector<pg::Oid> tables;
  for (const std::string& relation : ChangedBy(plan)) {
    const pg::Result row =
        co_await session.db().Query("SELECT COALESCE(to_regclass($1)::oid, 0)", relation);
    tables.push_back(row.Get<pg::Oid>(0, 0));
  }
  for (const plan::Step& step : plan.steps) {
    if (!step.backfill) continue;
    const pg::Result row = co_await session.db().Query("SELECT COALESCE(to_regclass($1)::oid, 0)",
                                                       step.backfill->table);
    tables.push_back(row.Get<pg::Oid>(0, 0));
  }
  co_return tables;
}

}  // namespace

std::vector<state::Step> StepsOf(const plan::Plan& plan) {
  std::vector<state::Step> steps;
  for (const plan::Step& planned : plan.steps) {
    if (planned.transaction == plan::Transaction::kShared && !steps.empty()) {
      state::Step& shared = steps.back();
      shared.sql.insert(shared.sql.end(), planned.sql.begin(), planned.sql.end());
      shared.undo.insert(shared.undo.begin(), planned.undo.begin(), planned.undo.end());
      if (planned.point_of_no_return) shared.spec["plan"].as_object()["point_of_no_return"] = true;
      continue;
    }
    if (planned.kind == plan::StepKind::kRebuild) {
      AddParts(planned, steps);
      continue;
    }
    steps.push_back(StepOf(planned));
    steps.back().ordinal = static_cast<int>(steps.size());
  }
  return steps;
}

Task<> RefuseUnfit(guard::Session& session, const plan::Plan& plan, const catalog::Schema& schema) {
  RefuseFailing(plan);
  RefuseUnknownSteps(plan);
  RefuseChangedSchema(plan, schema);
  co_await RefuseWithoutOwnership(session, plan);
  co_await RefuseHeld(session, plan);
  co_await RefuseByFirstStep(session, plan);
}

Task<std::string> CreateRun(guard::Session& session, const PlannedRun& planned,
                            std::function<Task<>(std::string run)> also) {
  state::Run run;
  run.id = state::NewRunId();
  run.command = kRunCommand;
  PlanSpec spec = planned.spec;
  spec.relations = planned.plan.relations;
  run.spec = ToJson(spec);
  if (!planned.asked.empty()) run.spec[state::kAsked] = planned.asked;
  if (!planned.partitions.empty())
    run.spec[state::kAskedPartitions] =
        boost::json::array(planned.partitions.begin(), planned.partitions.end());
  run.phase = "starting";
  co_await FindTarget(session, planned, run);
  if (run.target.empty()) run.target = "(no table)";
  const auto steps = StepsOf(planned.plan);
  const auto tables = co_await ChangedTables(session, planned.plan);
  auto create = [&]() -> Task<> {
    co_await state::CreateRun(session, run, tables);
    co_await state::CreateSteps(session, run.id, steps);
    co_await state::GoThrough(session, run.id, planned.through);
    if (also) co_await also(run.id);
  };
  co_await guard::RunInTransaction(session, create);
  async::FailPoint("run-made");
  co_return run.id;
}

}  // namespace pgalter::run
