#include "batcher/backfill/sync_trigger.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "batcher/backfill/rights.h"
#include "engine/async/fail_point.h"
#include "engine/guard/execute.h"
#include "engine/guard/lease.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"
#include "engine/state/artefacts.h"
#include "planner/sql/identifier.h"
#include "planner/sql/requalify.h"

namespace pgalter::backfill {

using run::ExitCode;
using run::Failure;

namespace {

// A plan may have several: each step's has a number.
std::string TagOf(const state::Run& run, const state::Step& step) {
  const std::string tag = run.id.substr(0, 8);
  return run::IsPlan(run) ? fmt::format("{}_{}", tag, step.ordinal) : tag;
}

struct Names {
  explicit Names(const std::string& tag)
      // '~' sorts behind every letter of ASCII: BEFORE triggers fire in the order of their names.
      : bare("~pgalter_sync_" + tag),
        trigger(sql::QuoteIdentifier(bare)),
        function("pgalter.sync_" + tag) {}
  std::string bare;
  std::string trigger;
  std::string function;
};

// A stored generated column has no value yet in a BEFORE trigger: its expression stands for it.
Task<std::map<std::string, std::string>> GeneratedColumns(Session& session, pg::Oid table) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a"
      " JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
      " WHERE a.attrelid = $1 AND a.attgenerated <> '' AND NOT a.attisdropped",
      table);
  std::map<std::string, std::string> generated;
  for (int i = 0; i < rows.rows(); ++i)
    generated.emplace(rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1));
  co_return generated;
}

std::string OnNewRow(const std::string& expression, const std::string& alias,
                     const std::map<std::string, std::string>& generated) {
  const auto moved = sql::RequalifyColumns(expression, alias, "new", generated);
  if (moved) return *moved;
  throw Failure(ExitCode::kRefused,
                fmt::format("the expression {} cannot be moved into a trigger: {}. Run with --sync "
                            "none, and have the application write the column",
                            expression, moved.error().message));
}

// The server's own judgement of the condition and of the values.
struct Nature {
  bool immutable = false;  // the condition
  bool users_code = false;
};

// Code of users: functions, operators, and types with code of their own, which enums have not.
// Casts that nobody wrote are among the functions. Of the server's own nothing is noted there.
constexpr const char* kUsersCode =
    "SELECT EXISTS (SELECT FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid"
    " WHERE d.classid = 'pg_rewrite'::regclass"
    " AND r.ev_class = 'pg_temp.pgalter_resolve'::regclass"
    " AND (d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)"
    "   OR d.refclassid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_type t"
    "     WHERE t.oid = d.refobjid AND t.typtype <> 'e')))";

std::string ViewOf(const std::string& table, const Resolved& resolved,
                   const std::string& condition) {
  std::string targets = fmt::format("({}) AS needs", condition);
  for (std::size_t i = 0; i < resolved.columns.size(); ++i)
    targets += fmt::format(", ({}) AS c{}", resolved.columns[i].expression, i);
  return fmt::format("CREATE TEMPORARY VIEW pgalter_resolve AS SELECT {} FROM {}", targets, table);
}

// Where it cannot be asked, as for want of the right to make temporary tables, it is not immutable;
// nor is what an index does not take.
Task<Nature> NatureOf(Session& session, const Table& table, const Spec& spec,
                      const Resolved& resolved, std::string condition) {
  struct Answered {};
  Nature nature;
  const std::string name = "pg_temp." + sql::QuoteIdentifier(spec.alias);
  const std::vector<std::string> statements{
      fmt::format("CREATE TEMPORARY TABLE {} (LIKE {})", sql::QuoteIdentifier(spec.alias),
                  table.name),
      ViewOf(name, resolved, condition)};
  auto ask = [&]() -> Task<> {
    co_await guard::Execute(session, statements);
    const pg::Result users = co_await session.db().Query(kUsersCode);
    nature.users_code = users.Get<bool>(0, 0);
    co_await session.db().Query(fmt::format("CREATE INDEX ON {} (({}))", name, condition));
    nature.immutable = true;
    throw Answered();
  };
  try {
    co_await guard::RunInTransaction(session, ask);
  } catch (const Answered&) {
  } catch (const pg::PgError&) {
    if (!session.open()) throw;
  }
  co_return nature;
}

// BEFORE triggers fire in the order of their names, byte by byte (RelationBuildTriggers()).
Task<> RefuseLaterTriggers(Session& session, const Table& table, const Names& names) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT format('%I of %s', tgname, tgrelid::regclass) FROM pg_trigger"
      " WHERE tgrelid IN (SELECT $1 UNION SELECT relid FROM pg_partition_tree($1::regclass))"
      " AND NOT tgisinternal AND tgenabled <> 'D' AND tgtype & 3 = 3 AND tgtype & 20 <> 0"
      " AND quote_ident(tgname) <> $2 AND tgname::text COLLATE \"C\" > $3 ORDER BY 1 LIMIT 1",
      table.oid, names.trigger, names.bare);
  if (rows.empty()) co_return;
  throw Failure(
      ExitCode::kRefused,
      fmt::format("trigger {} would run behind the one that is to keep the new values up, and "
                  "could change what they are made of: triggers run in the order of their names. "
                  "Rename it (ALTER TRIGGER … RENAME TO …), or run with --sync none, and have the "
                  "application write the column",
                  rows.Get<std::string>(0, 0)));
}

// What `values` mean, whoever writes: names that users' functions look up, and what time zones and
// the like make of values.
std::string SettingsOf(const Spec& spec, bool users_code, bool immutable) {
  std::string path = "pg_catalog";
  std::string others;
  for (const auto& [name, value] : spec.settings) {
    if (name == "search_path" && users_code && !value.empty()) path = value;
    if (name != "search_path" && !immutable)
      others += fmt::format(" SET {} = {}", name, sql::QuoteLiteral(value));
  }
  return fmt::format("SET search_path = {}, pg_temp{}", path, others);
}

struct TriggerText {
  std::string function;
  std::string trigger;
  std::string enable;
};

TriggerText Render(const Names& names, const Table& table, const Resolved& resolved,
                   const Work& work, const Spec& spec,
                   const std::map<std::string, std::string>& generated, Nature nature) {
  std::string values;
  std::string targets;
  for (const Column& column : resolved.columns) {
    const char* comma = values.empty() ? "" : ", ";
    values += comma + OnNewRow(column.expression, spec.alias, generated);
    targets += comma + ("new." + sql::QuoteIdentifier(column.name));
  }
  const std::string needs = OnNewRow(work.needs, spec.alias, generated);
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

state::Artefact Function(const std::string& run, const Names& names) {
  state::Artefact artefact;
  artefact.run = run;
  artefact.kind = "function";
  artefact.name = names.function + "()";
  return artefact;
}

state::Artefact Trigger(const std::string& run, const Names& names, const Table& table) {
  state::Artefact artefact;
  artefact.run = run;
  artefact.kind = "trigger";
  artefact.name = names.trigger;
  artefact.relation = table.name;
  artefact.relid = table.oid;
  return artefact;
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
  co_await RefuseLaterTriggers(env.main, table, names);
  Nature nature = co_await NatureOf(env.main, table, spec, resolved, decided.work->needs);
  nature.users_code |= resolved.calls_user_functions;
  const TriggerText text = Render(names, table, resolved, *decided.work, spec, generated, nature);

  co_await state::RecordArtefact(env.main, Function(env.run.id, names));
  co_await state::RecordArtefact(env.main, Trigger(env.run.id, names, table));
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
        "waiting for a lock on {}, {} attempts so far{}", table.name, report.attempts,
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
