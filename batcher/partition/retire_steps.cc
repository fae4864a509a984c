#include "batcher/partition/retire_steps.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <optional>

#include "batcher/partition/export_file.h"
#include "batcher/partition/proof.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/lock/ladder.h"
#include "engine/run/failure.h"
#include "engine/run/long_work.h"
#include "engine/run/plan_spec.h"
#include "engine/run/standby_readers.h"
#include "engine/run/transact.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

struct Retired {
  pg::Oid oid = 0;
  std::string name;  // as it is now; empty: dropped
  std::string file;
  Digest digest;
  bool attached = false;
};

Task<Retired> Read(guard::Session& session, const state::Step& step) {
  Retired retired;
  retired.oid = step.spec.at(kRetiredOid).to_number<pg::Oid>();
  const pg::Result row = co_await session.db().Query(
      "SELECT CASE WHEN c.oid IS NOT NULL THEN format('%I.%I', n.nspname, c.relname) END,"
      " c.relispartition, r.file, r.sha256, r.rows"
      " FROM pgalter.retired r LEFT JOIN pg_class c ON c.oid = r.relid"
      " LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE r.relid = $1",
      retired.oid);
  if (row.empty())
    throw Failure(ExitCode::kError,
                  fmt::format("nothing is known of the partition of step {}", step.id));
  if (row.IsNull(0, 1)) co_return retired;
  retired.name = row.Get<std::string>(0, 0);
  retired.attached = row.Get<bool>(0, 1);
  retired.file = row.Get<std::optional<std::string>>(0, 2).value_or("");
  retired.digest.sha256 = row.Get<std::optional<std::string>>(0, 3).value_or("");
  retired.digest.rows = row.Get<std::optional<std::int64_t>>(0, 4).value_or(0);
  co_return retired;
}

// Not any more: it came back, and then this process ended.
Task<bool> IsForgotten(guard::Session& session, const state::Step& step) {
  const pg::Result row =
      co_await session.db().Query("SELECT FROM pgalter.retired WHERE relid = $1",
                                  step.spec.at(kRetiredOid).to_number<pg::Oid>());
  co_return row.empty();
}

void RefuseAttached(const Retired& retired, const std::string& run) {
  if (!retired.attached) return;
  throw Failure(ExitCode::kRefused,
                fmt::format("{} was attached again: it is not dropped. pgalter abort {} --yes",
                            retired.name, run));
}

// What may keep it from being dropped, under the lock.
class Dropping {
 public:
  Dropping(run::Environment& env, const state::Step& step) : env_(env), step_(step) {}

  Task<> Run() {
    guard::Session& session = env_.main;
    co_await guard::CheckLease(session, env_.lease);
    const Retired retired = co_await Read(session, step_);
    RefuseAttached(retired, env_.run.id);
    co_await RefuseHeld(retired);
    if (step_.spec.contains(kExported) && async::SafeguardOn("export-check"))
      co_await RefuseUnlessExported(retired);
    async::FailPoint("drop-checked");
    co_await session.db().Query("DROP TABLE " + retired.name);
    co_await session.db().Query(
        "UPDATE pgalter.retired SET dropped_at = clock_timestamp() WHERE relid = $1", retired.oid);
  }

 private:
  // Its row is locked: a hold that is set now waits, and finds that there is no table any more.
  Task<> RefuseHeld(const Retired& retired) {
    co_await env_.main.db().Query("LOCK TABLE pgalter.legal_hold IN SHARE MODE");
    const pg::Result held = co_await env_.main.db().Query(
        "SELECT h.reason FROM pgalter.legal_hold h WHERE h.relid = $1 OR h.name = $2 OR"
        " EXISTS (SELECT FROM pgalter.retired r LEFT JOIN pg_class c ON c.oid = r.parent_relid"
        "  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE r.relid = $1"
        "  AND (h.relid = r.parent_relid OR h.name = format('%I.%I', n.nspname, c.relname)))",
        retired.oid, retired.name);
    if (held.empty()) co_return;
    throw Failure(ExitCode::kRefused,
                  fmt::format("{} is under a legal hold ({}): it is not dropped. pgalter abort {} "
                              "--yes leaves it as it is",
                              retired.name, held.Get<std::string>(0, 0), env_.run.id));
  }

  Task<> RefuseUnlessExported(const Retired& retired) {
    if (retired.file.empty())
      throw Failure(ExitCode::kRefused,
                    fmt::format("{} was not exported: it is not dropped", retired.name));
    const Digest now = co_await DigestOf(env_.main, retired.name);
    const std::string file = co_await Sha256OfFile(retired.file);
    if (now == retired.digest && file == retired.digest.sha256) co_return;
    const std::string why =
        now == retired.digest
            ? fmt::format("{} is not what was written there, or is on another machine",
                          retired.file)
            : "its rows were changed after the export";
    throw Failure(ExitCode::kMismatch,
                  fmt::format("{} is not dropped: {}. Move the file away if there is one, then: "
                              "pgalter abort {} --yes, and pgalter partition retain again",
                              retired.name, why, env_.run.id));
  }

  run::Environment& env_;
  const state::Step& step_;
};

Task<> Climb(run::Environment& env, const std::string& table, lock::Work work) {
  lock::LadderOptions options = run::LadderOf(env.run);
  options.hold_budget = run::kLongestStatement;  // nobody uses it but by its own name
  const run::PatientSession lasting(env.main);
  const lock::LadderOutcome outcome =
      co_await lock::RunUnderLadder(env.main, env.observer, std::move(work), options, env.stopper);
  if (outcome.result != lock::LadderResult::kDone)
    throw Failure(ExitCode::kLockNotObtained,
                  fmt::format("{} was not dropped, somebody uses it: {}. Then: pgalter resume {}",
                              table, fmt::join(lock::Lines(outcome), "\n"), env.run.id));
}

lock::LockRequest LockOf(const std::string& table) {
  lock::LockRequest request;
  if (auto parsed = sql::ParseQualifiedName(table)) request.tables.push_back(std::move(*parsed));
  return request;
}

// Before anything is read under the lock: DROP TABLE would lock the tables that they refer to.
Task<> DropForeignKeys(run::Environment& env, const Retired& retired) {
  const pg::Result keys = co_await env.main.db().Query(
      "SELECT quote_ident(conname) FROM pg_constraint WHERE conrelid = $1 AND contype = 'f'"
      " AND conparentid = 0",
      retired.oid);
  for (int i = 0; i < keys.rows(); ++i) {
    lock::Work work;
    work.statements.push_back({fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", retired.name,
                                           keys.Get<std::string>(i, 0)),
                               {}});
    co_await Climb(env, retired.name, std::move(work));
  }
}

// What DETACH CONCURRENTLY has left behind: the bound as a CHECK.
constexpr const char* kLeftBehind = R"sql(
SELECT quote_ident(conname) FROM pg_constraint
WHERE conrelid = $1 AND contype = 'c' AND conname <> 'pgalter_bound'
  AND pg_get_constraintdef(oid) = format('CHECK (%s)', $2::text)
)sql";

class Returning {
 public:
  Returning(run::Environment& env, const state::Step& step, Retired retired)
      : env_(env), step_(step), retired_(std::move(retired)) {
    const auto& kept = step.spec.at(kReturn).as_object();
    bound_ = kept.at("bound").as_string();
    inside_ = kept.at("inside").as_string();
  }

  Task<> Run() {
    co_await FindParent();
    if (parent_.empty()) {
      co_await StayAlone();
      co_return;
    }
    const pg::Result row = co_await env_.main.db().Query(
        "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = $1", retired_.oid);
    if (!row.empty() && !row.Get<bool>(0, 0)) {
      co_await Forget();
      co_return;
    }
    if (!row.empty()) {
      Texts finalize{
          fmt::format("ALTER TABLE {} DETACH PARTITION {} FINALIZE", parent_, retired_.name)};
      co_await Do(std::move(finalize));
    }
    const pg::Result left = co_await env_.main.db().Query(kLeftBehind, retired_.oid, inside_);
    Texts attach{
        fmt::format("ALTER TABLE {} ATTACH PARTITION {} {}", parent_, retired_.name, bound_)};
    for (int i = 0; i < left.rows(); ++i)
      attach.push_back(fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", retired_.name,
                                   left.Get<std::string>(i, 0)));
    std::vector<Proof> proofs{{retired_.name, kBound, inside_}};
    if (!rest_.empty()) proofs.push_back({rest_, kOutside, fmt::format("NOT ({})", inside_)});
    for (const Proof& proof : proofs) attach.push_back(DropOf(proof));
    async::Stopper never;  // an abort and a revert are a stop already
    std::string then =
        fmt::format("{} stays detached. Move or delete them; then: pgalter revert {} --yes",
                    retired_.name, env_.run.id);
    co_await Prove(env_, step_, proofs, never, std::move(then));
    co_await Attach(std::move(attach), std::move(proofs));
    async::FailPoint("returned");
    co_await Forget();
    async::FailPoint("return-forgotten");
  }

 private:
  using Texts = std::vector<std::string>;

  // As they are called now, if they are there.
  Task<> FindParent() {
    const pg::Result row = co_await env_.main.db().Query(
        "SELECT format('%I.%I', n.nspname, c.relname),"
        " CASE WHEN d.oid IS NOT NULL THEN format('%I.%I', m.nspname, d.relname) END"
        " FROM pgalter.retired r JOIN pg_partitioned_table p ON p.partrelid = r.parent_relid"
        " JOIN pg_class c ON c.oid = p.partrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " LEFT JOIN pg_class d ON d.oid = p.partdefid"
        " LEFT JOIN pg_namespace m ON m.oid = d.relnamespace WHERE r.relid = $1",
        retired_.oid);
    if (row.empty()) co_return;
    parent_ = row.Get<std::string>(0, 0);
    rest_ = row.Get<std::optional<std::string>>(0, 1).value_or("");
  }

  // What an attempt before has left goes with it.
  Task<> StayAlone() {
    std::vector<Proof> proofs{{retired_.name, kBound, inside_}};
    co_await TakeProofsAway(env_, step_, std::move(proofs));
    env_.progress.remark =
        fmt::format("{} stays detached: the table that it was of is gone", retired_.name);
    co_await Forget();
  }

  // Users may have changed its columns, or made another partition for its rows.
  Task<> Attach(Texts sql, std::vector<Proof> proofs) {
    std::string why;
    try {
      co_await Do(std::move(sql));
    } catch (const pg::PgError& error) {
      if (!env_.main.db().open()) throw;
      why = error.what();
    }
    if (why.empty()) co_return;
    co_await TakeProofsAway(env_, step_, std::move(proofs));
    throw Failure(ExitCode::kRefused,
                  fmt::format("{} stays detached, as {} does not take it: {}. Make it alike; then: "
                              "pgalter revert {} --yes",
                              retired_.name, parent_, why, env_.run.id));
  }

  Task<> Do(Texts sql) {
    run::Transacted what;
    what.sql = std::move(sql);
    async::Stopper never;  // an abort and a revert are a stop already
    co_await run::Transact(env_, step_, std::move(what), never);
  }

  // It waits to be dropped no more.
  Task<> Forget() {
    co_await env_.main.db().Query("DELETE FROM pgalter.retired WHERE relid = $1", retired_.oid);
  }

  run::Environment& env_;
  const state::Step& step_;
  Retired retired_;
  std::string parent_;
  std::string bound_;
  std::string inside_;
  std::string rest_;
};

}  // namespace

run::Task<bool> ReturnStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> ReturnStep::Do(run::Environment&, const state::Step&) { co_return; }

run::Task<> ReturnStep::Undo(run::Environment& env, const state::Step& step) {
  const bool forgotten = co_await IsForgotten(env.main, step);
  if (forgotten) co_return;
  Retired retired = co_await Read(env.main, step);
  if (retired.name.empty()) co_return;  // somebody else has dropped it
  Returning returning(env, step, std::move(retired));
  co_await returning.Run();
}

run::Task<bool> ReturnStep::StillStands(run::Environment& env, const state::Step& step) {
  const bool forgotten = co_await IsForgotten(env.main, step);
  if (forgotten) co_return false;
  const Retired retired = co_await Read(env.main, step);
  if (retired.name.empty()) co_return false;
  const pg::Result row = co_await env.main.db().Query(
      "SELECT NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = $1)", retired.oid);
  co_return row.Get<bool>(0, 0);
}

run::Task<bool> RetireStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> RetireStep::Do(run::Environment& env, const state::Step& step) {
  auto retire = [&]() -> Task<> {
    co_await guard::CheckLease(env.main, env.lease);
    co_await env.main.db().Query(
        "UPDATE pgalter.retired SET detached_at = clock_timestamp() WHERE relid = $1",
        step.spec.at(kRetiredOid).to_number<pg::Oid>());
    co_await state::RecordStep(env.main, env.lease, step.ordinal, state::StepState::kDone);
  };
  co_await guard::RunInTransaction(env.main, retire);
  async::FailPoint("retired");
}

run::Task<> RetireStep::Undo(run::Environment&, const state::Step&) { co_return; }

run::Task<bool> ExportStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> ExportStep::Do(run::Environment& env, const state::Step& step) {
  const Retired retired = co_await Read(env.main, step);
  if (retired.name.empty()) co_return;  // somebody else has dropped it
  RefuseAttached(retired, env.run.id);
  const std::filesystem::path folder(step.spec.at(kFolder).as_string().c_str());
  const std::string path = (folder / FileNameOf(retired.name)).string();
  env.progress.note = fmt::format("exporting {} to {}", retired.name, path);
  guard::Session session = co_await run::OpenAsRole(env);
  session.db().set_query_deadline(run::kLongestStatement);
  const Digest digest = co_await ExportTo(session, retired.name, path);
  env.progress.note.clear();
  async::FailPoint("exported");
  auto record = [&]() -> Task<> {
    co_await guard::CheckLease(env.main, env.lease);
    co_await env.main.db().Query(
        "UPDATE pgalter.retired SET file = $2, sha256 = $3, rows = $4, exported_at ="
        " clock_timestamp() WHERE relid = $1",
        retired.oid, path, digest.sha256, digest.rows);
    co_await state::RecordStep(env.main, env.lease, step.ordinal, state::StepState::kDone);
  };
  co_await guard::RunInTransaction(env.main, record);
}

run::Task<> ExportStep::Undo(run::Environment&, const state::Step&) { co_return; }

run::Task<bool> DropStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> DropStep::Do(run::Environment& env, const state::Step& step) {
  const Retired retired = co_await Read(env.main, step);
  if (retired.name.empty()) co_return;  // somebody else has dropped it
  RefuseAttached(retired, env.run.id);
  run::Tables tables{retired.oid};
  const std::string remark = co_await run::AwaitStandbyReaders(env, env.stopper, std::move(tables));
  if (!remark.empty()) env.progress.remark = remark;
  co_await DropForeignKeys(env, retired);
  lock::Work work;
  work.lock = LockOf(retired.name);
  auto body = [&]() -> Task<> {
    Dropping dropping(env, step);
    co_await dropping.Run();
  };
  work.body = body;
  auto record = [&]() -> Task<> {
    co_await state::RecordStep(env.main, env.lease, step.ordinal, state::StepState::kDone);
  };
  work.record = record;
  co_await Climb(env, retired.name, std::move(work));
  async::FailPoint("partition-dropped");
}

run::Task<> DropStep::Undo(run::Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::partition
