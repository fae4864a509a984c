#include "batcher/backfill/sync_trigger.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "batcher/backfill/rights.h"
#include "batcher/backfill/trigger_parts.h"
#include "engine/async/fail_point.h"
#include "engine/guard/lease.h"
#include "engine/guard/transaction.h"
#include "engine/lock/human_attempts.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"
#include "engine/state/artefacts.h"
#include "planner/sql/identifier.h"

namespace pgalter::backfill {

using run::ExitCode;
using run::Failure;

namespace {

struct TriggerText {
  std::string function;
  std::string trigger;
  std::string enable;
};

TriggerText Render(const Names& names, const Table& table, const Resolved& resolved,
                   const Work& work, const Spec& spec, const Generated& generated, Nature nature) {
  std::string values;
  std::string targets;
  for (const Column& column : resolved.columns) {
    const char* comma = values.empty() ? "" : ", ";
    values += comma + OnNewRow(column.expression, spec, generated);
    targets += comma + ("new." + sql::QuoteIdentifier(column.name));
  }
  const std::string needs = OnNewRow(work.needs, spec, generated);
  // WHEN spares the function call for rows that carry their value, chunks' rows above all. It runs
  // with the rights and under the settings of whoever writes, so only where these do not matter.
  const bool when = nature.immutable && !nature.users_code;
  TriggerText text;
  const std::string settings = SettingsOf(spec, nature.users_code, when);
  const std::string set = fmt::format("SELECT {} INTO {};", values, targets);
  const std::string body = when ? set : fmt::format("IF {} THEN {} END IF;", needs, set);
  text.function = fmt::format(
      "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {} AS {}",
      names.function, settings,
      sql::QuoteLiteral(
          fmt::format("#variable_conflict use_column\nBEGIN\n  {}\n  RETURN new;\nEND", body)));
  text.trigger = fmt::format(
      "CREATE TRIGGER {} BEFORE INSERT OR UPDATE ON {} FOR EACH ROW {} EXECUTE FUNCTION {}()",
      names.trigger, table.name, when ? fmt::format("WHEN ({})", needs) : "", names.function);
  text.enable = fmt::format("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}", table.name, names.trigger);
  return text;
}

// Its table may have another name by now, or be gone, and the trigger with it.
Task<std::optional<std::string>> DropStatement(Session& session, const state::Artefact& artefact) {
  if (artefact.kind == "function")
    co_return fmt::format("DROP FUNCTION IF EXISTS {}", artefact.name);
  // Without CASCADE: what users have hung on it since is theirs.
  if (artefact.kind == "table") co_return fmt::format("DROP TABLE IF EXISTS {}", artefact.name);
  if (artefact.kind == "schema") co_return fmt::format("DROP SCHEMA IF EXISTS {}", artefact.name);
  const pg::Result table = co_await session.db().Query(
      "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c"
      " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1",
      artefact.relid);
  if (table.empty()) co_return std::nullopt;
  co_return fmt::format("DROP TRIGGER IF EXISTS {} ON {}", artefact.name,
                        table.Get<std::string>(0, 0));
}

// One may read another: in one statement they may go in any order.
void DropMatviews(const std::vector<state::Artefact>& artefacts, lock::Work& work) {
  std::string names;
  for (const state::Artefact& artefact : artefacts)
    if (artefact.kind == "matview") names += (names.empty() ? "" : ", ") + artefact.name;
  if (!names.empty()) work.statements.push_back({"DROP MATERIALIZED VIEW IF EXISTS " + names, {}});
}

// The server names what it refused, not what to do about it.
Task<> ThrowWithGrant(Session& session, const std::vector<state::Artefact>& artefacts,
                      pg::PgError error) {
  for (const state::Artefact& artefact : artefacts) {
    const std::string missing = co_await MissingOwnership(session, artefact.relid);
    if (!missing.empty())
      throw Failure(ExitCode::kUnsupported,
                    fmt::format("what run {} made is still there: {}", artefact.run, missing));
  }
  throw error;
}

// Whose lock keeps users waiting, unlike those on what is in a schema of the run.
Task<bool> IsOnUsersTable(Session& session, const state::Artefact& artefact) {
  if (artefact.kind != "trigger") co_return false;
  const pg::Result row = co_await session.db().Query(
      "SELECT NOT starts_with(n.nspname, 'pgalter_') FROM pg_class c"
      " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1",
      artefact.relid);
  co_return !row.empty() && row.Get<bool>(0, 0);
}

struct Dropping {
  Session& session;
  Session& observer;
  std::string run;
  lock::LadderOptions options;
  async::Stopper& stopper;
};

// In one transaction.
Task<> Drop(const Dropping& by, std::vector<state::Artefact> artefacts, lock::Ending ending) {
  if (artefacts.empty()) co_return;
  lock::Work work;
  work.ending = ending;
  // A table goes when nothing reads it any more.
  DropMatviews(artefacts, work);
  for (const char* kind : {"trigger", "function", "table", "schema"}) {
    for (const state::Artefact& artefact : artefacts) {
      if (artefact.kind != kind) continue;
      const auto drop = co_await DropStatement(by.session, artefact);
      if (drop) work.statements.push_back({*drop, {}});
    }
  }
  auto record = [&]() -> Task<> {
    for (const state::Artefact& artefact : artefacts)
      co_await state::RecordDropped(by.session, artefact);
  };
  work.record = record;
  std::optional<pg::PgError> refused;
  lock::LadderOutcome outcome;
  try {
    outcome = co_await lock::RunUnderLadder(by.session, by.observer, std::move(work), by.options,
                                            by.stopper);
  } catch (const pg::PgError& error) {
    if (error.klass() != pg::SqlstateClass::kNoRight) throw;
    refused = error;
  }
  if (refused) co_await ThrowWithGrant(by.session, artefacts, *refused);
  if (outcome.result != lock::LadderResult::kDone)
    throw Failure(ExitCode::kLockNotObtained,
                  fmt::format("what run {} made is still there, its table was too busy: {}. Try "
                              "again later",
                              by.run, fmt::join(lock::Lines(outcome), "\n")));
}

}  // namespace

std::string TriggerRefusal(const Table& table, const Resolved& resolved, const Spec& spec) {
  if (!spec.binds.empty()) return "a trigger would store the values bound with --bind";
  if (resolved.has_subquery)
    return "the expression has a subquery: what it reads may change without the row";
  if (resolved.nature.reads_target)
    return "the expression reads the column that it sets: users' own values would be changed";
  if (table.inherited) return "the table has inheritance children, which its triggers do not reach";
  return "";
}

Task<bool> SyncTriggerStep::Done(run::Environment& env, const state::Step& step) {
  const Names names(TagOf(env.run, step));
  const pg::Result found = co_await env.main.db().Query(
      "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = $1 AND quote_ident(tgname) = $2"
      " AND tgenabled = 'A')",
      env.run.relid, names.trigger);
  co_return found.Get<bool>(0, 0);
}

Task<> SyncTriggerStep::Do(run::Environment& env, const state::Step& step) {
  if (!async::SafeguardOn("dual-write-trigger")) co_return;
  const Spec spec = FromJson(env.run.spec);
  const Table table = co_await FindTableByOid(env.main, env.run.relid);
  const Resolved resolved = co_await Recall(env.main, table, spec);
  const WorkOrRefusal decided = DecideWork(resolved.columns, resolved.nature, resolved.where);
  if (!decided.work) throw Failure(ExitCode::kRefused, decided.refusal);
  const Names names(TagOf(env.run, step));
  const auto generated = co_await GeneratedColumns(env.main, table.oid);
  co_await RefuseLaterTriggers(env.main, table, spec, names);
  Nature nature = co_await NatureOf(env.main, table, spec, resolved, decided.work->needs);
  nature.users_code |= resolved.calls_user_functions;
  const TriggerText text = Render(names, table, resolved, *decided.work, spec, generated, nature);

  co_await state::RecordArtefact(env.main, FunctionArtefact(env.run.id, names));
  co_await state::RecordArtefact(env.main, TriggerArtefact(env.run.id, names, table));
  async::FailPoint("trigger-in-ledger");

  lock::Work work;
  work.statements.push_back({text.function, {}});
  work.statements.push_back(
      {fmt::format("REVOKE ALL ON FUNCTION {}() FROM PUBLIC", names.function), {}});
  work.statements.push_back({text.trigger, {}});
  work.statements.push_back({text.enable, {}});
  auto record = [&]() -> Task<> {
    co_await guard::CheckLease(env.main, env.lease);
    // In a plan it is the beginning of the backfill's step.
    if (!run::IsPlan(env.run))
      co_await state::RecordStep(env.main, env.lease, step.ordinal, state::StepState::kDone);
  };
  work.record = record;
  const auto tell = [&env, &table](const lock::LadderReport& report) {
    env.progress.note = fmt::format(
        "waiting for a lock on {}, {} so far{}", table.name, lock::HumanAttempts(report.attempts),
        report.last_blockers.empty() ? "" : ": " + lock::Describe(report.last_blockers.front()));
  };
  const lock::LadderOptions options;
  const lock::LadderOutcome outcome = co_await lock::RunUnderLadder(
      env.main, env.observer, std::move(work), options, env.stopper, tell);
  env.progress.note.clear();
  async::FailPoint("trigger-made");
  if (outcome.result != lock::LadderResult::kDone)
    throw Failure(ExitCode::kLockNotObtained,
                  fmt::format("the trigger on {} was not made, the table was too busy: {}. Then: "
                              "pgalter resume {}",
                              table.name, fmt::join(lock::Lines(outcome), "\n"), env.run.id));
}

Task<> SyncTriggerStep::Undo(run::Environment& env, const state::Step& step) {
  const lock::LadderOptions options;
  // An abort is a stop already: the ladder gets a stopper of its own.
  async::Stopper never;
  co_await DropSyncTrigger(env, step, options, never);
}

Task<> DropSyncTrigger(run::Environment& env, const state::Step& step, lock::LadderOptions options,
                       async::Stopper& stopper) {
  const Names names(TagOf(env.run, step));
  const Which own = [&names](const state::Artefact& artefact) {
    return artefact.name == names.trigger || artefact.name == names.function + "()";
  };
  co_await DropArtefacts(env.main, env.observer, env.run.id, options, stopper, own);
}

Task<> DropArtefacts(guard::Session& session, guard::Session& observer, std::string run,
                     lock::LadderOptions options, async::Stopper& stopper, Which which) {
  auto artefacts = co_await state::LiveArtefacts(session, run);
  if (which)
    std::erase_if(artefacts, [&](const state::Artefact& artefact) { return !which(artefact); });
  // Indexes that are not finished are dropped in another way: engine/run/concurrent_index.h.
  std::erase_if(artefacts,
                [](const state::Artefact& artefact) { return artefact.kind == "index"; });
  std::vector<state::Artefact> on_users_tables;
  std::vector<state::Artefact> others;
  for (state::Artefact& artefact : artefacts) {
    const bool users = co_await IsOnUsersTable(session, artefact);
    (users ? on_users_tables : others).push_back(std::move(artefact));
  }
  Dropping dropping{session, observer, std::move(run), options, stopper};
  co_await Drop(dropping, std::move(on_users_tables), lock::Ending::kAtBudget);
  // Nobody uses these: however many there are, they are dropped as long as nobody waits.
  co_await Drop(dropping, std::move(others), lock::Ending::kWhenInTheWay);
}

}  // namespace pgalter::backfill
