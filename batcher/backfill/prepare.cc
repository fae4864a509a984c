#include "batcher/backfill/prepare.h"

#include <fmt/format.h>

#include "batcher/backfill/once.h"
#include "batcher/backfill/rights.h"
#include "batcher/backfill/role_settings.h"
#include "batcher/backfill/sync_trigger.h"
#include "engine/guard/role_settings.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "engine/state/runs.h"
#include "engine/watch/table_bytes.h"

namespace pgalter::backfill {

using run::ExitCode;
using run::Failure;

namespace {

void DecideTrigger(Prepared& prepared) {
  Spec& spec = prepared.spec;
  const ExpressionNature& nature = prepared.resolved.nature;
  const bool derives = nature.reads_columns && !nature.moving;
  const bool wanted = spec.sync == Sync::kKeep || (spec.sync == Sync::kAuto && derives);
  if (!wanted) return;
  const std::string refusal = TriggerRefusal(prepared.table, prepared.resolved, spec);
  if (!refusal.empty()) {
    if (spec.sync == Sync::kKeep)
      throw Failure(ExitCode::kRefused, fmt::format("--sync keep is not possible on {}: {}",
                                                    prepared.table.name, refusal));
    prepared.remarks.push_back(fmt::format(
        "no trigger keeps new rows right ({}): the application has to write the column", refusal));
    return;
  }
  if (!prepared.table.owned)
    throw Failure(ExitCode::kUnsupported,
                  fmt::format("the value derives from other columns, so a trigger keeps new and "
                              "changed rows right, and that takes the owner of {}. Run as its "
                              "owner, or with --sync none if the application writes the column",
                              prepared.table.name));
  spec.has_trigger = true;
}

void AddRemarks(Prepared& prepared) {
  const Resolved& resolved = prepared.resolved;
  if (!resolved.volatile_functions.empty())
    prepared.remarks.push_back(fmt::format(
        "the expression calls {}: another value for every row or moment, so a row counts as done "
        "by {}, and is not compared with its value",
        fmt::join(resolved.volatile_functions, ", "),
        prepared.spec.where.empty() ? "not being NULL" : "--where being false"));
  if (prepared.spec.has_trigger)
    prepared.remarks.push_back(
        "a trigger sets the value on every insert and update from now on, until `pgalter finish`; "
        "a row for which the expression fails cannot be written meanwhile");
  for (const std::string& trigger : prepared.triggers)
    prepared.remarks.push_back(fmt::format("every row fires trigger {}", trigger));
  for (const Leaf& leaf : prepared.leaves) {
    if (leaf.shape.target_indexed)
      prepared.remarks.push_back(fmt::format(
          "an index of {} holds the column: every update writes all indexes of the row. Where it "
          "can be, build the index after the backfill",
          leaf.relation.name));
  }
}

}  // namespace

Task<Prepared> Prepare(Session& session, Spec spec, Resolving how) {
  Prepared prepared;
  if (spec.settings.empty()) spec.settings = co_await guard::RoleSettings(session);
  prepared.table = co_await FindTable(session, spec);
  co_await RefuseForeignPartitions(session, prepared.table.oid);
  const std::string hidden = co_await HiddenRows(session, prepared.table.oid);
  if (!hidden.empty())
    throw Failure(ExitCode::kUnsupported, fmt::format("cannot backfill {}: {}. Nothing was changed",
                                                      prepared.table.name, hidden));
  spec.alias = prepared.table.relname;
  prepared.resolved = co_await Resolve(session, prepared.table, spec, how);
  for (const Column& column : prepared.resolved.columns)
    spec.resolved.push_back({column.name, column.expression});
  spec.resolved_where = prepared.resolved.where;
  if (spec.sync == Sync::kOnce) {
    RefuseOnce(prepared.table, prepared.resolved, spec);
    spec.has_trigger = true;
    prepared.spec = std::move(spec);
    prepared.leaves = co_await FindLeaves(session, prepared.table.oid, prepared.spec);
    co_return prepared;
  }
  WorkOrRefusal decided =
      DecideWork(prepared.resolved.columns, prepared.resolved.nature, prepared.resolved.where);
  if (!decided.work)
    throw Failure(ExitCode::kRefused,
                  fmt::format("cannot backfill {}: {}", prepared.table.name, decided.refusal));
  prepared.work = std::move(*decided.work);
  prepared.leaves = co_await FindLeaves(session, prepared.table.oid, spec);
  prepared.triggers = co_await FiringTriggers(session, prepared.table.oid);
  spec.table_bytes = (co_await watch::ReadTableBytes(session, prepared.table.name)).value_or(-1);
  prepared.spec = std::move(spec);
  DecideTrigger(prepared);
  AddRemarks(prepared);
  co_return prepared;
}

Task<std::string> CreateRun(Session& session, const Prepared& prepared,
                            std::vector<state::Step> then) {
  state::Run run;
  run.id = state::NewRunId();
  run.command = "backfill";
  run.target = prepared.table.name;
  run.relid = prepared.table.oid;
  run.spec = ToJson(prepared.spec);
  run.phase = "starting";
  for (const Leaf& leaf : prepared.leaves) run.total_rows += static_cast<std::int64_t>(leaf.rows);
  std::vector<state::Step> steps;
  const auto add = [&steps](const char* id, const char* phase) {
    state::Step step;
    step.ordinal = static_cast<int>(steps.size()) + 1;
    step.id = id;
    step.kind = id;
    step.phase = phase;
    steps.push_back(std::move(step));
  };
  if (prepared.spec.has_trigger) add("sync-trigger", "expand");
  add("backfill", "migrate");
  for (state::Step& step : then) {
    step.ordinal = static_cast<int>(steps.size()) + 1;
    steps.push_back(std::move(step));
  }
  auto create = [&]() -> Task<> {
    co_await state::CreateRun(session, run);
    co_await state::CreateSteps(session, run.id, steps);
  };
  co_await guard::RunInTransaction(session, create);
  co_return run.id;
}

}  // namespace pgalter::backfill
