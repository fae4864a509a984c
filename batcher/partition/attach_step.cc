#include "batcher/partition/attach_step.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "batcher/cutover/carry_over.h"
#include "batcher/cutover/keys_back.h"
#include "batcher/cutover/snapshot_guard.h"
#include "batcher/cutover/validating.h"
#include "batcher/cutover/views_over.h"
#include "batcher/partition/attaching.h"
#include "batcher/partition/detaching.h"
#include "batcher/partition/later.h"
#include "batcher/partition/repart.h"
#include "batcher/partition/spec.h"
#include "engine/async/fail_point.h"
#include "engine/lock/human_attempts.h"
#include "engine/lock/ladder.h"
#include "engine/run/concurrent_index.h"
#include "engine/run/failure.h"
#include "engine/run/old_snapshots.h"
#include "engine/run/plan_spec.h"
#include "engine/run/standby_readers.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

// Whether $1 is a partition of what $2 names now, or is what it names: it is taken back already.
constexpr const char* kTableOfThen = R"sql(
SELECT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = $1 AND inhparent = to_regclass($2)::oid),
       coalesce(to_regclass($2)::oid = $1, false),
       (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1),
       (SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = $1)
)sql";

// Identities of before (attaching.cc), of partition $1.
constexpr const char* kFormer = R"sql(
SELECT format('ALTER TABLE %I.%I ALTER COLUMN %I DROP IDENTITY', n.nspname, c.relname, a.attname)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attrelid = $1 AND a.attidentity <> '' AND NOT a.attisdropped AND c.relispartition
  AND current_setting('server_version_num')::int < 170000
)sql";

// Who waited for their sequences in the cut-over has got a number by now.
Task<> DropFormer(run::Environment& env) {
  if (env.run.spec.contains(kRepart)) co_return;
  const Texts drops = co_await ReadTexts(env.main, kFormer, pg::Params::Of(env.run.relid));
  if (drops.empty()) co_return;
  lock::Work work;
  for (const std::string& sql : drops) work.statements.push_back({sql, {}});
  auto record = [&]() -> Task<> { co_await guard::CheckLease(env.main, env.lease); };
  work.record = record;
  const lock::LadderOptions options = run::LadderOf(env.run);
  const lock::LadderOutcome outcome =
      co_await lock::RunUnderLadder(env.main, env.observer, std::move(work), options, env.stopper);
  if (outcome.result != lock::LadderResult::kDone)
    throw Failure(
        ExitCode::kLockNotObtained,
        fmt::format("\"{}\" found no lock: {}. The new table is in its place. At a quieter "
                    "time: pgalter resume {}",
                    fmt::join(drops, "; "), fmt::join(lock::Lines(outcome), "\n"), env.run.id));
}

Task<bool> IsAttached(run::Environment& env) {
  const pg::Result row = co_await env.main.db().Query(
      "SELECT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = $1)", env.run.relid);
  co_return row.Get<bool>(0, 0);
}

lock::LockRequest LockOf(const cutover::Joined& joined, const std::string& table) {
  Texts names = joined.referenced;
  names.push_back(table);
  names.insert(names.end(), joined.referencing.begin(), joined.referencing.end());
  lock::LockRequest request;
  for (const std::string& name : names)
    if (auto parsed = sql::ParseQualifiedName(name)) request.tables.push_back(std::move(*parsed));
  return request;
}

struct Climbed {
  async::Milliseconds blocked{0};  // users, at most
  std::string remark;
};

Task<Climbed> Climb(run::Environment& env, const Spec& spec, pg::Oid of, lock::Work work,
                    async::Stopper& stopper, const char* again) {
  cutover::Joined joined = co_await cutover::ReadJoined(env.main, of);
  // On the way back nothing joins them while triggers stand for their foreign keys.
  const std::vector<rebuild::GoingKey> gone = GoneKeys(spec);
  co_await cutover::JoinFormer(env.main, gone, spec.table, joined);
  work.lock = LockOf(joined, spec.table);
  auto views = [&env, of]() -> Task<std::vector<lock::View>> {
    const std::vector<std::int64_t> leaving{of};
    const std::vector<std::int64_t> anew;  // no column changes its type
    co_return co_await cutover::ViewsOver(env.main, leaving, dependants::Matviews::kInTheWay, anew);
  };
  work.views = views;
  run::Tables tables{of};
  Climbed climbed;
  climbed.remark = co_await run::AwaitStandbyReaders(env, stopper, std::move(tables));
  const auto tell = [&env, &spec](const lock::LadderReport& report) {
    const std::string why = lock::WhoIsInTheWay(report);
    env.progress.note =
        fmt::format("waiting for a lock on {}, {} so far{}", spec.table,
                    lock::HumanAttempts(report.attempts), why.empty() ? "" : ": " + why);
  };
  const lock::LadderOptions options = run::LadderOf(env.run);
  const lock::LadderOutcome outcome = co_await lock::RunUnderLadder(
      env.main, env.observer, std::move(work), options, stopper, tell);
  env.progress.note.clear();
  if (outcome.result != lock::LadderResult::kDone)
    throw Failure(ExitCode::kLockNotObtained,
                  fmt::format("{} was too busy: {}. Nothing changed for its users. At a quieter "
                              "time: pgalter {} {}{}",
                              spec.table, fmt::join(lock::Lines(outcome), "\n"), again, env.run.id,
                              outcome.result == lock::LadderResult::kHoldOverrun
                                  ? "; or with --hold-budget, where users may wait for longer"
                                  : ""));
  climbed.blocked = outcome.report.longest_blocked;
  co_return climbed;
}

Task<state::Step> StepOfKind(run::Environment& env, const char* kind) {
  auto found = co_await FindStep(env, kind);
  if (!found)
    throw Failure(ExitCode::kError, fmt::format("run {} has no step {}", env.run.id, kind));
  co_return std::move(*found);
}

Task<> AttachUnderLadder(run::Environment& env, const state::Step& step) {
  Pair pair;
  pair.spec = FromJson(env.run.spec);
  pair.table = env.run.relid;
  const std::string made = pair.made();
  const pg::Result parent = co_await env.main.db().Query("SELECT $1::regclass::oid", made);
  pair.parent = parent.Get<pg::Oid>(0, 0);
  const state::Step settle = co_await StepOfKind(env, kSettle);
  Later later;
  auto body = [&]() -> Task<> { later = co_await Attach(env, pair); };
  auto record = [&]() -> Task<> {
    co_await KeepForLater(env, settle, later);
    co_await state::RecordStep(env.main, env.lease, step.ordinal, state::StepState::kDone);
  };
  auto before = [&]() -> Task<> { co_await RehearseAttach(env, pair); };
  lock::Work work;
  work.before = before;
  work.body = body;
  work.record = record;
  const Climbed climbed =
      co_await Climb(env, pair.spec, pair.table, std::move(work), env.stopper, "resume");
  async::FailPoint("attach-committed");
  env.progress.remark =
      fmt::format("{}{}users were blocked for at most {} ms at the cut-over", climbed.remark,
                  climbed.remark.empty() ? "" : "; ", climbed.blocked.count());
}

// The keys as they were, beside the users: two rows that only differ in the column are found here.
Task<> BuildKeysBack(run::Environment& env, const state::Step& step, const Pair& pair) {
  async::Stopper never;
  for (const WidenedKey& key : pair.spec.keys) {
    std::string sql = fmt::format("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {} ON {} ({}){}",
                                  BackName(key), pair.first(), key.columns, StoredIndex(key));
    co_await run::BuildIndex(env, step, std::move(sql), step.state, never);
    async::FailPoint("key-back");
  }
}

// A key that stayed would refuse rows that the partitioned table allows.
Task<> DropKeysBack(run::Environment& env, const Pair& pair) {
  async::Stopper never;
  for (const WidenedKey& key : pair.spec.keys) {
    const auto name = sql::ParseQualifiedName(pair.spec.home + "." + BackName(key));
    if (name) co_await run::DropIndex(env, *name, run::Dropping::kAny, never);
  }
}

[[noreturn]] void RefuseTwice(const run::Environment& env, const Pair& pair, const char* what) {
  std::string queries;
  for (const WidenedKey& key : pair.spec.keys)
    queries += fmt::format("\nSELECT {0} FROM {1} GROUP BY {0} HAVING count(*) > 1", key.columns,
                           pair.spec.table);
  throw Failure(
      ExitCode::kRefused,
      fmt::format("run {} cannot be taken back: a key of {} that was unique before is "
                  "there twice now ({}). Nothing was changed. Remove one of the rows, "
                  "then: pgalter revert {} --yes; or let it stay as it is: pgalter finish {} "
                  "--yes. They are found by:{}",
                  env.run.id, pair.spec.table, what, env.run.id, env.run.id, queries));
}

Task<> DetachUnderLadder(run::Environment& env, const state::Step& step) {
  Pair pair;
  pair.spec = FromJson(env.run.spec);
  pair.table = env.run.relid;
  const pg::Result parent = co_await env.main.db().Query(
      "SELECT inhparent FROM pg_inherits WHERE inhrelid = $1", pair.table);
  pair.parent = parent.Get<pg::Oid>(0, 0);
  const Later unsettled = LeftOf(co_await FindStep(env, kSettle));
  Later later;
  auto body = [&]() -> Task<> { later = co_await Detach(env, pair, unsettled); };
  auto record = [&]() -> Task<> { co_await KeepForLater(env, step, later); };
  run::OldSnapshots old;
  auto ahead = [&]() -> Task<> { co_await old.RememberOnce(env.main); };
  auto before = [&]() -> Task<> { co_await old.Await(env.main); };
  lock::Work work;
  work.ahead = ahead;
  work.before = before;
  work.body = body;
  work.record = record;
  async::Stopper never;  // an abort is a stop already
  const std::vector<rebuild::GoingKey> gone = GoneKeys(pair.spec);
  const std::string lost = co_await cutover::SayLost(env.main, gone, pair.spec.table);
  std::exception_ptr failure;
  std::string twice;
  try {
    co_await BuildKeysBack(env, step, pair);
    const Climbed climbed =
        co_await Climb(env, pair.spec, pair.parent, std::move(work), never, "revert");
    env.progress.remark = climbed.remark;
    if (!climbed.remark.empty() && !lost.empty()) env.progress.remark += "; ";
    env.progress.remark += lost;
  } catch (const pg::PgError& error) {
    failure = std::current_exception();
    if (error.sqlstate() == "23505") twice = error.what();
  } catch (const Failure&) {
    failure = std::current_exception();
  }
  if (failure) {
    if (env.main.open()) co_await DropKeysBack(env, pair);
    if (!twice.empty()) RefuseTwice(env, pair, twice.c_str());
    std::rethrow_exception(failure);
  }
  async::FailPoint("detach-committed");
}

}  // namespace

Task<> RefuseLostTable(Session& session, const state::Run& run) {
  bool was_attached = false;
  for (const state::Step& step : co_await state::LoadSteps(session, run.id))
    was_attached |= step.kind == "partition-attach" && step.state == state::StepState::kDone;
  if (!was_attached) co_return;
  const Spec spec = FromJson(run.spec);
  const pg::Result row = co_await session.db().Query(kTableOfThen, run.relid, spec.table);
  const bool is_first = row.Get<bool>(0, 0);
  const bool is_plain_again = row.Get<bool>(0, 1);
  if (is_first || is_plain_again) co_return;
  const auto name = row.Get<std::optional<std::string>>(0, 2);
  const auto parent = row.Get<std::optional<std::string>>(0, 3);
  std::string gone =
      fmt::format("{}.{}, which held the rows of then, was dropped", spec.home, spec.first);
  if (name)
    gone = fmt::format(
        "{0} is no partition of {1} any more. pgalter partition attach {0} --as {1} --from "
        "MINVALUE "
        "--to {2} --yes makes it one again",
        *name, spec.table, spec.upto);
  if (name && parent)
    gone = fmt::format("{} is a partition of {} now: rename that to {}, if it is the same", *name,
                       *parent, spec.table);
  throw Failure(ExitCode::kRefused,
                fmt::format("run {0} cannot be taken back: {1}. Nothing was changed. To keep {2} "
                            "as it is: pgalter finish {0} --yes",
                            run.id, gone, spec.table));
}

run::Task<bool> AttachStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> AttachStep::Do(run::Environment& env, const state::Step& step) {
  co_await AttachUnderLadder(env, step);
}

run::Task<> AttachStep::Undo(run::Environment& env, const state::Step& step) {
  co_await RefuseLostTable(env.main, env.run);
  const bool attached = co_await IsAttached(env);
  if (attached) {
    co_await DetachUnderLadder(env, step);
    co_await cutover::AwaitOlderTransactions(env.main);
  }
  const state::Step now = co_await StepOfKind(env, "partition-attach");
  async::Stopper never;
  const Settling back{cutover::ValidatingBack(env.run.id), "revert", run::LadderOf(env.run)};
  cutover::Say(env.progress.remark, co_await Settle(env, now, never, back));
}

run::Task<bool> AttachStep::StillStands(run::Environment& env, const state::Step& step) {
  const bool attached = co_await IsAttached(env);
  if (!attached) co_return false;
  co_return step.state == state::StepState::kDone;
}

run::Task<bool> SettleStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> SettleStep::Do(run::Environment& env, const state::Step&) {
  const state::Step now = co_await StepOfKind(env, kSettle);
  Settling there{cutover::ValidatingThere(env.run.id), "resume", run::LadderOf(env.run)};
  if (env.run.spec.contains(kRepart)) there.how.standing = "The new partitions are in their places";
  cutover::Say(env.progress.remark, co_await Settle(env, now, env.stopper, there));
  co_await DropFormer(env);
}

run::Task<> SettleStep::Undo(run::Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::partition
