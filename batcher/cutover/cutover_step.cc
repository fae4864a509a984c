#include "batcher/cutover/cutover_step.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <exception>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "batcher/backfill/target.h"
#include "batcher/capture/catch_up.h"
#include "batcher/capture/flow_sql.h"
#include "batcher/capture/parts.h"
#include "batcher/copy/pace.h"
#include "batcher/cutover/carry_over.h"
#include "batcher/cutover/old_snapshots.h"
#include "batcher/cutover/snapshot_guard.h"
#include "batcher/cutover/swap_checks.h"
#include "batcher/dependants/obstacles.h"
#include "batcher/rebuild/follow.h"
#include "batcher/rebuild/obstacles.h"
#include "batcher/rebuild/spec.h"
#include "batcher/rebuild/store.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/lock/ladder.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"
#include "engine/state/artefacts.h"
#include "engine/state/cutover_wish.h"
#include "planner/sql/identifier.h"

namespace pgalter::cutover {

using capture::Flow;
using run::ExitCode;
using run::Failure;

namespace {

constexpr std::int64_t kFew = 100;  // keys: what is left is drained under the lock
constexpr std::chrono::hours kLong{24 * 7};
constexpr async::Milliseconds kBetweenRounds{1000};  // while the cut-over is postponed

// Somebody wished so after the waiting was over.
struct Postponed : std::exception {};

Task<bool> MayCutOver(run::Environment& env) {
  const auto otherwise = rebuild::FromJson(env.run.spec).waits_at_cutover
                             ? state::CutoverDefault::kWait
                             : state::CutoverDefault::kAuto;
  co_return co_await state::MayCutOver(env.main, env.run.id, otherwise);
}

// One change of places: the table that leaves, and the one that comes. Back, it is the same the
// other way round.
struct Swap {
  rebuild::Stored stored;
  bool back = false;
  Flow flow;            // from the one that leaves to the one that comes
  std::string schema;   // of the name in question, quoted
  std::string relname;  // quoted
  std::string aside;    // the schema that the leaving table goes to
  Joined joined;

  [[nodiscard]] std::string name_to_be() const { return aside + "." + relname; }
};

Task<Swap> ReadSwap(run::Environment& env, bool back) {
  Swap swap;
  swap.back = back;
  swap.stored = co_await rebuild::Load(env.main, env.run.id);
  std::string name = back ? "reverse" : "forward";
  swap.flow = co_await capture::LoadFlow(env.main, env.run.id, std::move(name));
  const pg::Result names = co_await env.main.db().Query(
      "SELECT quote_ident(n.nspname), quote_ident(l.relname), quote_ident(c.relname)"
      " FROM pg_class l JOIN pg_namespace n ON n.oid = l.relnamespace, pg_class c"
      " WHERE l.oid = $1 AND c.oid = $2",
      swap.flow.from_oid, swap.flow.to_oid);
  swap.schema = names.Get<std::string>(0, 0);
  swap.relname = names.Get<std::string>(0, 1);
  swap.aside = back ? swap.stored.schema : swap.stored.schema + "_old";
  swap.joined = co_await ReadJoined(env.main, swap.flow.from_oid);
  if (names.Get<std::string>(0, 2) != swap.relname)
    throw Failure(ExitCode::kRefused,
                  fmt::format("{} was renamed while run {} worked on it: name it as before, then: "
                              "pgalter resume {}",
                              swap.flow.from, env.run.id, env.run.id));
  co_return swap;
}

lock::LockRequest LockOf(const Swap& swap) {
  std::vector<std::string> names = swap.joined.referenced;
  names.push_back(swap.flow.from);
  names.push_back(swap.flow.to);
  names.insert(names.end(), swap.joined.referencing.begin(), swap.joined.referencing.end());
  lock::LockRequest request;
  for (const std::string& name : names) {
    const auto parsed = sql::ParseQualifiedName(name);
    if (parsed) request.tables.push_back(*parsed);
  }
  return request;
}

Task<> Execute(Session& session, const std::vector<std::string>& statements) {
  std::vector<pg::Statement> batch;
  for (const std::string& sql : statements) batch.push_back({sql, {}});
  if (!batch.empty()) co_await session.db().Pipeline(std::move(batch));
}

state::Artefact Artefact(const std::string& run, const char* kind, std::string name,
                         pg::Oid relid = 0) {
  state::Artefact artefact;
  artefact.run = run;
  artefact.kind = kind;
  artefact.name = std::move(name);
  artefact.relid = relid;
  return artefact;
}

// From now on the old table is kept up from the new one.
Task<> CaptureBack(run::Environment& env) {
  Session& session = env.main;
  const Flow back = co_await capture::LoadFlow(session, env.run.id, "reverse");
  co_await Execute(session, capture::MakeTriggers(back));
  if (back.from_partitioned) co_await capture::RememberParts(session, back);
  for (const std::string& trigger : {back.trigger(), back.truncate_trigger()}) {
    const state::Artefact artefact = Artefact(env.run.id, "trigger", trigger, back.from_oid);
    co_await state::RecordArtefact(session, artefact);
  }
  const state::Artefact function = Artefact(env.run.id, "function", back.function() + "()");
  co_await state::RecordArtefact(session, function);
}

// On the table that comes; that of the way there goes on the way back.
Task<> GuardSnapshots(run::Environment& env, const Swap& swap,
                      std::vector<std::string>& statements) {
  const SnapshotGuard guard = GuardOf(env.run.id, swap.stored.schema);
  if (swap.back)
    for (std::string& sql : DropGuard(guard, swap.flow.from)) statements.push_back(std::move(sql));
  for (std::string& sql : co_await MakeGuard(env.main, guard, swap.flow.to))
    statements.push_back(std::move(sql));
}

Task<> RecordGuard(run::Environment& env, const Swap& swap) {
  const SnapshotGuard guard = GuardOf(env.run.id, swap.stored.schema);
  const state::Artefact trigger = Artefact(env.run.id, "trigger", guard.trigger, swap.flow.to_oid);
  co_await state::RecordArtefact(env.main, trigger);
  const state::Artefact function = Artefact(env.run.id, "function", guard.function + "()");
  co_await state::RecordArtefact(env.main, function);
}

// A partition does not follow its table into another schema.
Task<std::vector<std::pair<std::string, std::string>>> Moves(Session& session, const Swap& swap) {
  std::vector<std::pair<std::string, std::string>> moves;
  moves.emplace_back(swap.flow.from, swap.aside);
  for (std::string& name : co_await capture::ReadPartitions(session, swap.flow.from_oid))
    moves.emplace_back(std::move(name), swap.aside);
  moves.emplace_back(swap.flow.to, swap.schema);
  for (std::string& name : co_await capture::ReadPartitions(session, swap.flow.to_oid))
    moves.emplace_back(std::move(name), swap.schema);
  co_return moves;
}

// In the transaction that holds the locks.
Task<> SwapTables(run::Environment& env, const Swap& swap) {
  Session& session = env.main;
  const Flow& flow = swap.flow;
  const rebuild::Stored& stored = swap.stored;
  co_await guard::CheckLease(session, env.lease);
  co_await CheckCapture(session, flow, env.run.id);
  std::string again = fmt::format("pgalter {} {}", swap.back ? "revert" : "resume", env.run.id);
  co_await dependants::RefuseObstacle(session, flow.from_oid, flow.from, std::move(again));
  if (!swap.back && flow.from_partitioned)
    co_await rebuild::RefuseWhatPartitionsHave(session, flow.from, flow.from_oid);
  co_await AwaitOldSnapshots(session);
  const bool may = swap.back || co_await MayCutOver(env);
  if (!may) throw Postponed();
  if (async::SafeguardOn("final-drain")) co_await capture::Drain(session, flow);
  async::FailPoint("drained");
  Staying staying;
  staying.unsettled = stored.definition.validate;
  const CarryOver carry = co_await ReadCarryOver(session, flow.from_oid, flow.to_oid, flow.from,
                                                 swap.name_to_be(), staying);
  std::vector<std::string> statements = capture::DropTriggers(flow);
  co_await GuardSnapshots(env, swap, statements);
  if (!swap.back)
    for (const rebuild::Index& index : stored.definition.indexes)
      if (index.helper)
        statements.push_back(fmt::format("DROP INDEX {}.{}", stored.schema, index.name));
  statements.insert(statements.end(), carry.before.begin(), carry.before.end());
  for (const auto& [table, schema] : co_await Moves(session, swap))
    statements.push_back(fmt::format("ALTER TABLE {} SET SCHEMA {}", table, schema));
  if (!swap.back)
    for (const std::string& check : stored.definition.checks)
      statements.push_back(fmt::format("ALTER TABLE {} {}", flow.from, check));
  statements.insert(statements.end(), carry.after.begin(), carry.after.end());
  co_await Execute(session, statements);
  async::FailPoint("swapped");

  for (const state::Artefact& artefact : co_await state::LiveArtefacts(session, env.run.id))
    if (rebuild::IsOfRebuild(artefact) &&
        (artefact.kind == "trigger" || artefact.kind == "function" ||
         (artefact.kind == "table" && artefact.name == flow.to)))
      co_await state::RecordDropped(session, artefact);
  const state::Artefact aside = Artefact(env.run.id, "table", swap.name_to_be());
  co_await state::RecordArtefact(session, aside);
  co_await RecordGuard(env, swap);
  if (!swap.back && stored.definition.revertible) co_await CaptureBack(env);
  rebuild::Definition definition = stored.definition;
  definition.validate = carry.validate;
  definition.adopt = carry.adopt;
  co_await rebuild::RecordDefinition(session, env.run.id, definition);
  co_await session.db().Query(
      "UPDATE pgalter.rebuild SET swapped_at = CASE WHEN $2 THEN NULL ELSE clock_timestamp() END"
      " WHERE run = $1",
      env.run.id, swap.back);
}

// Follows until little is left, then swaps under the ladder. `record` is what the step writes about
// itself in the same transaction. How long users were blocked, at most.
Task<async::Milliseconds> SwapUnderLadder(run::Environment& env, async::Stopper& stopper, bool back,
                                          std::function<Task<>()> record) {
  const Swap swap = co_await ReadSwap(env, back);
  Session user = co_await copy::OpenSession(env);
  co_await rebuild::Follow(env, stopper, user, swap.flow, kFew);
  lock::Work work;
  auto before = [&]() -> Task<> { co_await AwaitOldSnapshots(env.main); };
  work.before = before;
  work.lock = LockOf(swap);
  auto body = [&]() -> Task<> { co_await SwapTables(env, swap); };
  work.body = body;
  work.record = std::move(record);
  const auto tell = [&env, &swap](const lock::LadderReport& report) {
    env.progress.note = fmt::format(
        "waiting for a lock on {}, {} attempts so far{}", swap.flow.from, report.attempts,
        report.last_blockers.empty() ? "" : ": " + lock::Describe(report.last_blockers.front()));
  };
  const lock::LadderOptions options = run::LadderOf(env.run);
  const lock::LadderOutcome outcome = co_await lock::RunUnderLadder(
      env.main, env.observer, std::move(work), options, stopper, tell);
  env.progress.note.clear();
  if (outcome.result != lock::LadderResult::kDone)
    throw Failure(
        ExitCode::kLockNotObtained,
        fmt::format("the tables were not swapped, {} was too busy: {}. Nothing changed for "
                    "its users. At a quieter time: pgalter {} {}",
                    swap.flow.from, fmt::join(lock::Lines(outcome), "\n"),
                    back ? "revert" : "resume", env.run.id));
  co_return outcome.report.longest_blocked;
}

// Each once: it leaves the list in its transaction.
Task<> AdoptUnderLadder(run::Environment& env, async::Stopper& stopper, std::string sql) {
  lock::Work work;
  work.statements.push_back({sql, {}});
  auto record = [&]() -> Task<> {
    co_await guard::CheckLease(env.main, env.lease);
    rebuild::Stored stored = co_await rebuild::Load(env.main, env.run.id);
    std::erase(stored.definition.adopt, sql);
    co_await rebuild::RecordDefinition(env.main, env.run.id, stored.definition);
  };
  work.record = record;
  const lock::LadderOptions options = run::LadderOf(env.run);
  const lock::LadderOutcome outcome =
      co_await lock::RunUnderLadder(env.main, env.observer, std::move(work), options, stopper);
  async::FailPoint("key-adopted");
  if (outcome.result != lock::LadderResult::kDone)
    throw Failure(ExitCode::kLockNotObtained,
                  fmt::format("\"{}\" found no lock, the tables were too busy: {}. The key holds "
                              "for every partition already. At a quieter time: pgalter resume {}",
                              sql, fmt::join(lock::Lines(outcome), "\n"), env.run.id));
}

Task<> Settle(run::Environment& env, async::Stopper& stopper) {
  const rebuild::Stored stored = co_await rebuild::Load(env.main, env.run.id);
  if (stored.definition.validate.empty() && stored.definition.adopt.empty()) co_return;
  guard::Session session = co_await copy::OpenSession(env);
  session.db().set_query_deadline(kLong);
  for (const std::string& sql : stored.definition.validate) {
    stopper.ThrowIfStopping();
    co_await session.db().Query(sql);
    async::FailPoint("key-validated");
  }
  for (const std::string& sql : stored.definition.adopt)
    co_await AdoptUnderLadder(env, stopper, sql);
  // What is not valid from here on is so by somebody's wish.
  auto settled = [&]() -> Task<> {
    co_await guard::CheckLease(env.main, env.lease);
    rebuild::Stored now = co_await rebuild::Load(env.main, env.run.id);
    now.definition.validate.clear();
    co_await rebuild::RecordDefinition(env.main, env.run.id, now.definition);
  };
  co_await guard::RunInTransaction(env.main, settled);
}

// The log stays small, and the swap short, however long it takes.
Task<> AwaitLeave(run::Environment& env) {
  bool may = co_await MayCutOver(env);
  if (may) co_return;
  Session user = co_await copy::OpenSession(env);
  while (!may) {
    const Flow flow = co_await capture::LoadFlow(env.main, env.run.id, "forward");
    co_await rebuild::Follow(env, env.stopper, user, flow, kFew);
    env.progress.note = fmt::format(
        "the new table of {} is ready and kept up to date; it waits for: pgalter cutover {}",
        flow.from, env.run.id);
    async::FailPoint("cutover-waits");
    co_await env.stopper.SleepFor(kBetweenRounds);
    may = co_await MayCutOver(env);
  }
  env.progress.note.clear();
}

enum class Standing { kNothingMade, kNotSwapped, kSwapped };

Task<Standing> ReadStanding(run::Environment& env) {
  const pg::Result row = co_await env.main.db().Query(
      "SELECT swapped_at IS NOT NULL FROM pgalter.rebuild WHERE run = $1", env.run.id);
  if (row.empty()) co_return Standing::kNothingMade;
  co_return row.Get<bool>(0, 0) ? Standing::kSwapped : Standing::kNotSwapped;
}

}  // namespace

run::Task<bool> CutoverStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> CutoverStep::Do(run::Environment& env, const state::Step& step) {
  auto record = [&]() -> Task<> {
    co_await state::RecordStep(env.main, env.lease, step.ordinal, state::StepState::kDone);
  };
  std::optional<async::Milliseconds> swapped;
  while (!swapped) {
    co_await AwaitLeave(env);
    try {
      swapped = co_await SwapUnderLadder(env, env.stopper, false, record);
    } catch (const Postponed&) {
      swapped.reset();
    }
  }
  const async::Milliseconds blocked = *swapped;
  async::FailPoint("cut-over");
  env.progress.remark =
      fmt::format("users were blocked for at most {} ms at the cut-over", blocked.count());
  co_await env.main.db().Query("UPDATE pgalter.rebuild SET blocked_ms = $2 WHERE run = $1",
                               env.run.id, static_cast<double>(blocked.count()));
}

// What users have written since is carried over first, so nothing is lost.
run::Task<> CutoverStep::Undo(run::Environment& env, const state::Step&) {
  const Standing standing = co_await ReadStanding(env);
  if (standing == Standing::kNothingMade) co_return;
  async::Stopper never;  // an abort is a stop already
  if (standing == Standing::kNotSwapped) {
    // Or swapped back by a runner that ended before it had settled that.
    co_await Settle(env, never);
    co_return;
  }
  const rebuild::Stored stored = co_await rebuild::Load(env.main, env.run.id);
  if (!stored.definition.revertible)
    throw Failure(
        ExitCode::kRefused,
        fmt::format("run {} cannot be taken back: its new values cannot be put into the "
                    "old types. Nothing was changed. Make the opposite change with: pgalter "
                    "rebuild",
                    env.run.id));
  auto record = []() -> Task<> { co_return; };
  co_await SwapUnderLadder(env, never, true, record);
  async::FailPoint("swapped-back");
  co_await AwaitOlderTransactions(env.main);
  co_await Settle(env, never);
}

run::Task<bool> SettleStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> SettleStep::Do(run::Environment& env, const state::Step&) {
  co_await Settle(env, env.stopper);
}

run::Task<> SettleStep::Undo(run::Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::cutover
