#include "batcher/partition/regroup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>
#include <functional>
#include <optional>

#include "batcher/backfill/sync_trigger.h"
#include "batcher/cutover/carry_over.h"
#include "batcher/cutover/snapshot_guard.h"
#include "batcher/cutover/unsettled.h"
#include "batcher/partition/alike.h"
#include "batcher/partition/obstacles.h"
#include "batcher/partition/pair.h"
#include "batcher/partition/proof.h"
#include "batcher/partition/rejoin.h"
#include "batcher/partition/release_step.h"
#include "batcher/partition/way_out.h"
#include "engine/async/fail_point.h"
#include "engine/guard/execute.h"
#include "engine/lock/ladder.h"
#include "engine/run/failure.h"
#include "engine/run/old_snapshots.h"
#include "engine/run/plan_spec.h"
#include "engine/run/standby_readers.h"
#include "engine/run/transact.h"
#include "engine/state/json_texts.h"
#include "engine/state/steps.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using sql::QuoteIdentifier;
using Texts = std::vector<std::string>;

namespace {

constexpr const char* kOurs = "pgalter";         // our own schema
constexpr const char* kRegrouped = "regrouped";  // in a step's spec

// Of the first that goes: columns that are written, owner.
constexpr const char* kFirst = R"sql(
SELECT (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''),
       quote_ident(pg_get_userbyid(c.relowner))
FROM pg_class c WHERE c.oid = $1::regclass
)sql";

class Regrouper {
 public:
  Regrouper(run::Environment& env, const Regrouping& regrouping, Joins joins, const char* again)
      : env_(env),
        session_(env.main),
        spec_(regrouping.spec),
        from_(regrouping.from),
        joins_(std::move(joins)),
        settings_(run::PlanSpecOf(env.run).settings),
        again_(again) {}

  // In the transaction that holds the locks.
  Task<> Run() {
    co_await guard::CheckLease(session_, env_.lease);
    co_await run::AwaitOldSnapshots(session_);
    co_await RefuseObstaclesNow(env_, spec_, from_, Moving::kUnderLock, again_);
    Rejoined rejoined = co_await ReadRejoined(env_, spec_, from_, joins_, again_);
    co_await Execute(session_, rejoined.before);
    co_await TakeOut();
    co_await MoveRows();
    Texts statements;
    for (const std::string& partition : from_) statements.push_back("DROP TABLE " + partition);
    for (std::size_t i = 0; i < spec_.targets.size(); ++i) Place(i, statements);
    if (!spec_.rest.empty())
      statements.push_back(
          fmt::format("ALTER TABLE {} DROP CONSTRAINT IF EXISTS pgalter_outside", spec_.rest));
    statements.insert(statements.end(), rejoined.after.begin(), rejoined.after.end());
    const Texts partitions = NewPartitions(spec_);
    for (std::string& sql : co_await GuardWhole(env_, kOurs, spec_.parent, partitions))
      statements.push_back(std::move(sql));
    co_await guard::ExecuteUnder(session_, settings_, statements);
    later_ = std::move(rejoined.later);
    later_.on = co_await cutover::ReadSettledOn(session_, later_.validate, later_.adopt);
    co_await RecordWholeGuard(env_, kOurs, spec_.parent, partitions);
    co_await run::LetLateReadersThrough(session_);
    async::FailPoint("merged");
  }

  [[nodiscard]] const Later& later() const { return later_; }

 private:
  [[nodiscard]] std::string Made(std::size_t target) const {
    return fmt::format("{}.pgalter_merged{}", spec_.home,
                       target == 0 ? "" : fmt::format("_{}", target));
  }

  // From here on nobody grants anything on them: what they have of their own is known.
  Task<> TakeOut() {
    const bool asks = async::SafeguardOn("alike-under-lock");
    if (asks) alike_ = co_await LikeTheOld(session_, from_.front());
    if (asks)
      for (Form& form : co_await ColumnsLike(session_, from_.front(), spec_.parent))
        alike_.push_back(std::move(form));
    Texts statements;
    for (const std::string& partition : from_)
      statements.push_back(
          fmt::format("ALTER TABLE {} DETACH PARTITION {}", spec_.parent, partition));
    co_await Execute(session_, statements);
    if (!asks) co_return;
    const std::string unlike = co_await FindUnlike(session_, from_);
    if (!unlike.empty())
      throw Failure(ExitCode::kRefused,
                    fmt::format("the partitions of {} are not exchanged, since {}. Nothing was "
                                "changed. Then: pgalter {} {}",
                                spec_.parent, unlike, again_, env_.run.id));
    for (Form& form : co_await RightsOf(session_, from_.front())) alike_.push_back(std::move(form));
  }

  Task<> MoveRows() {
    const Storage storage = co_await StorageOf(session_, from_.front());
    const pg::Result first = co_await session_.db().Query(kFirst, from_.front());
    const auto columns = first.Get<std::string>(0, 0);
    const bool several = spec_.targets.size() > 1;
    Texts statements;
    for (std::size_t i = 0; i < spec_.targets.size(); ++i) {
      const Target& target = spec_.targets[i];
      statements.push_back(fmt::format(
          "CREATE {}TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED "
          "INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS){}",
          storage.persistence, Made(i), from_.front(), storage.rest));
      statements.push_back(
          fmt::format("ALTER TABLE {} OWNER TO {}", Made(i), first.Get<std::string>(0, 1)));
      if (async::SafeguardOn("merge-rows"))
        for (const std::string& partition : from_)
          statements.push_back(fmt::format(
              "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM ONLY {}{}", Made(i),
              columns, columns, partition, several ? Such(target) : std::string()));
      if (!target.inside.empty())
        statements.push_back(fmt::format("ALTER TABLE {} ADD CONSTRAINT pgalter_bound CHECK ({})",
                                         Made(i), target.inside));
    }
    co_await guard::ExecuteUnder(session_, settings_, statements);
    if (several) co_await RefuseLostRows();
  }

  // A CHECK holds where the answer is NULL, too: as a default partition's for a row with NULL.
  static std::string Such(const Target& target) {
    return fmt::format(" WHERE ({}) IS NOT FALSE", target.inside);
  }

  // A row that none of the conditions holds for would go with the old partitions.
  Task<> RefuseLostRows() {
    const auto count = [](const Texts& tables) {
      Texts counts;
      for (const std::string& table : tables)
        counts.push_back(fmt::format("(SELECT count(*) FROM ONLY {})", table));
      return fmt::format("{}", fmt::join(counts, " + "));
    };
    Texts made;
    for (std::size_t i = 0; i < spec_.targets.size(); ++i) made.push_back(Made(i));
    const pg::Result row =
        co_await session_.db().Query(fmt::format("SELECT {} = {}", count(made), count(from_)));
    if (!row.Get<bool>(0, 0))
      throw Failure(ExitCode::kMismatch,
                    fmt::format("rows of {} would fit into none of its partitions. Nothing was "
                                "changed",
                                spec_.parent));
  }

  void Place(std::size_t number, Texts& statements) const {
    const Target& target = spec_.targets[number];
    const std::string name = spec_.home + "." + target.becomes;
    statements.push_back(fmt::format("ALTER TABLE {} RENAME TO {}", Made(number), target.becomes));
    statements.push_back(
        fmt::format("ALTER TABLE {} ATTACH PARTITION {} {}", spec_.parent, name, target.bound));
    if (!target.inside.empty())
      statements.push_back(fmt::format("ALTER TABLE {} DROP CONSTRAINT pgalter_bound", name));
    AddFor(name, alike_, statements);
  }

  run::Environment& env_;
  Session& session_;
  const RepartSpec& spec_;
  const Texts& from_;
  Joins joins_;
  guard::Settings settings_;  // of users' code
  const char* again_;         // the verb that does it again
  Forms alike_;
  Later later_;
};

[[noreturn]] void RefuseBack(const state::Run& run, const std::string& why) {
  throw Failure(ExitCode::kRefused,
                fmt::format("run {} cannot be taken back: {}. Nothing was changed", run.id, why));
}

[[noreturn]] void RefuseMuch(const state::Run& run, const Regrouping& back, std::int64_t bytes) {
  constexpr std::int64_t kMb = 1024 * 1024;
  const std::string command = CommandFor(back.spec.parent, back.from, back.spec.targets);
  throw Failure(
      ExitCode::kRefused,
      fmt::format("run {} cannot be taken back: its partitions have {} MB, and rows are moved back "
                  "while users wait: more than {} MB are not. Nothing was changed. {}{}",
                  run.id, bytes / kMb, MostRegrouped() / kMb,
                  run.state == state::RunState::kDone
                      ? ""
                      : fmt::format("First: pgalter resume {}. ", run.id),
                  command.empty() ? "Rows do not go back into a default partition in use"
                                  : "While they are in use the same is done by: " + command));
}

Task<> RefuseUnlikeThen(Session& session, const state::Run& run, const Regrouping& back) {
  const RepartSpec& spec = back.spec;
  std::int64_t bytes = 0;
  for (const std::string& partition : back.from) {
    const pg::Result row = co_await session.db().Query(
        "SELECT pg_total_relation_size(inhrelid) FROM pg_inherits"
        " WHERE inhparent = to_regclass($1)::oid AND inhrelid = to_regclass($2)::oid"
        " AND NOT inhdetachpending",
        spec.parent, partition);
    if (row.empty())
      RefuseBack(run, fmt::format("{} is no partition of {} any more", partition, spec.parent));
    bytes += row.Get<std::int64_t>(0, 0);
  }
  if (bytes > MostRegrouped()) RefuseMuch(run, back, bytes);
}

Regrouping BackOf(const state::Run& run) {
  const RepartSpec spec = RepartFromJson(run.spec.at(kRepart).as_object());
  const auto* kept = run.spec.if_contains(kBack);
  if (kept == nullptr)
    RefuseBack(run, "it was made by a pgalter that did not keep what was there before");
  Regrouping back;
  back.spec = spec;
  back.spec.targets.clear();
  for (const auto& value : kept->as_array()) {
    const auto& old = value.as_object();
    Target target;
    target.name = target.becomes = state::Text(old, "name");
    target.bound = state::Text(old, "bound");
    target.inside = state::Text(old, "inside");
    back.spec.targets.push_back(std::move(target));
  }
  back.from = NewPartitions(spec);
  return back;
}

// As before the run: the default partition need not be read under the lock.
Task<> ProveOutside(run::Environment& env, const state::Step& step, const RepartSpec& spec) {
  if (spec.rest.empty() || spec.outside.empty()) co_return;
  async::Stopper never;  // an abort is a stop already
  std::vector<Proof> proofs{{spec.rest, kOutside, spec.outside}};
  std::string then = fmt::format("Move or delete them; then: pgalter revert {}", env.run.id);
  co_await Prove(env, step, std::move(proofs), never, std::move(then));
}

// What guards old snapshots, and what else the ledger names.
Task<> Release(run::Environment& env) {
  co_await cutover::AwaitOlderTransactions(env.main);
  async::Stopper never;  // an abort is a stop already
  co_await DropWhatIsLeft(env, never);
}

using Record = std::function<Task<>(const Later&)>;

// The next attempt would take as long.
std::string Advice(const lock::LadderOutcome& outcome, const lock::LadderOptions& options,
                   std::string_view again, const std::string& run) {
  if (outcome.result != lock::LadderResult::kHoldOverrun) return "";
  return fmt::format(
      ". To move their rows takes longer than users may wait ({} ms): to let them wait longer, "
      "pgalter {} {} --hold-budget 5s",
      options.hold_budget.count(), again, run);
}

Task<async::Milliseconds> RegroupUnderLadder(run::Environment& env, async::Stopper& stopper,
                                             const Regrouping& regrouping, Joins joins,
                                             const Record& record, const char* again) {
  const RepartSpec& spec = regrouping.spec;
  run::Tables tables{spec.parent_oid};
  const std::string remark = co_await run::AwaitStandbyReaders(env, stopper, std::move(tables));
  joins.locked = co_await cutover::ReadJoined(env.main, spec.parent_oid);
  lock::Work work;
  run::OldSnapshots old;
  auto ahead = [&]() -> Task<> { co_await old.RememberOnce(env.main); };
  work.ahead = ahead;
  auto before = [&]() -> Task<> { co_await old.Await(env.main); };
  work.before = before;
  work.lock = LockAround(joins.locked, spec, "");
  Later later;
  auto body = [&]() -> Task<> {
    Regrouper regrouper(env, regrouping, joins, again);
    co_await regrouper.Run();
    later = regrouper.later();
  };
  work.body = body;
  auto keep = [&]() -> Task<> { co_await record(later); };
  work.record = keep;
  const lock::LadderOptions options = run::LadderOf(env.run);
  const lock::LadderOutcome outcome =
      co_await lock::RunUnderLadder(env.main, env.observer, std::move(work), options, stopper);
  if (outcome.result != lock::LadderResult::kDone)
    throw Failure(
        ExitCode::kLockNotObtained,
        fmt::format("the partitions of {} were not exchanged: {}. Nothing changed for "
                    "its users. At a quieter time: pgalter {} {}",
                    spec.parent, fmt::join(lock::Lines(outcome), "\n"), again, env.run.id) +
            Advice(outcome, options, again, env.run.id));
  env.progress.remark = remark;
  co_return outcome.report.longest_blocked;
}

}  // namespace

std::int64_t MostRegrouped() {
  constexpr async::Milliseconds kMost{256 * 1024};
  return async::LimitOf("most-regrouped-kb", kMost).count() * 1024;
}

std::int64_t MovedWithin(async::Milliseconds budget) {
  constexpr async::Milliseconds kBytesPerMs{64 * 1024};
  return budget.count() * async::LimitOf("moved-bytes-a-ms", kBytesPerMs).count();
}

Task<async::Milliseconds> Regroup(run::Environment& env, const state::Step& step,
                                  const Regrouping& regrouping) {
  const std::optional<state::Step> settle = co_await FindStep(env, kSettle);
  Joins joins;
  joins.has_settle = settle.has_value();
  auto done = [&](const Later& later) -> Task<> {
    if (settle) co_await KeepForLater(env, *settle, later);
    co_await state::RecordStep(env.main, env.lease, step.ordinal, state::StepState::kDone);
  };
  const Record record = done;
  co_return co_await RegroupUnderLadder(env, env.stopper, regrouping, joins, record, "resume");
}

std::vector<state::Step> RegroupSteps(const RepartSpec& spec) {
  std::vector<state::Step> steps = OutsideSteps(spec);
  for (const char* kind : {"partition-merge", kSettle, "partition-release"}) {
    state::Step step;
    step.ordinal = static_cast<int>(steps.size()) + 1;
    step.id = step.kind = kind;
    step.phase = "contract";
    steps.push_back(std::move(step));
  }
  return steps;
}

Task<boost::json::array> KeepTheOld(Session& session, std::vector<Member> members) {
  boost::json::array kept;
  for (const Member& member : members) {
    std::string inside;
    // Of a default partition it would say which others there are now.
    if (!member.is_default) {
      const pg::Result row =
          co_await session.db().Query("SELECT pg_get_partition_constraintdef($1)", member.oid);
      inside = row.Get<std::string>(0, 0);
    }
    kept.push_back(
        {{"name", QuoteIdentifier(member.relname)}, {"bound", member.bound}, {"inside", inside}});
  }
  co_return kept;
}

Task<> RefuseRegroupBack(Session& session, const state::Run& run) {
  if (!run.spec.contains(kRepart)) co_return;
  for (const state::Step& step : co_await state::LoadSteps(session, run.id)) {
    const bool exchanged = step.kind == "partition-merge" || step.kind == "partition-swap";
    if (!exchanged || IsRegroupedBack(step)) continue;
    const Regrouping back = BackOf(run);
    co_await RefuseUnlikeThen(session, run, back);
  }
}

Task<> RegroupBack(run::Environment& env, const state::Step& step) {
  if (step.state != state::StepState::kDone) co_return;
  const Regrouping back = BackOf(env.run);
  async::Stopper never;  // an abort and a revert are a stop already
  // Recorded with it: a second attempt only removes what guards old snapshots.
  if (!IsRegroupedBack(step)) {
    co_await RefuseUnlikeThen(env.main, env.run, back);
    // Of the way there, where it did not come to its end.
    co_await Release(env);
    co_await ProveOutside(env, step, back.spec);
    Joins joins;
    joins.unsettled = LeftOf(co_await FindStep(env, kSettle));
    auto regrouped = [&](const Later& later) -> Task<> {
      state::Step marked = step;
      marked.spec[kRegrouped] = true;
      co_await KeepForLater(env, marked, later);
    };
    const Record record = regrouped;
    try {
      co_await RegroupUnderLadder(env, never, back, joins, record, "revert");
    } catch (const pg::PgError& error) {
      // Where the rest of a split was split again.
      if (!error.Is("42P17")) throw;
      RefuseBack(env.run, fmt::format("{}, made since: take back first what made it (pgalter ps)",
                                      error.fields().message));
    }
    async::FailPoint("regrouped-back");
  }
  // Before that what is left keeps other runs from the table.
  const std::optional<state::Step> now = co_await FindStep(env, step.kind);
  Settling settling{cutover::ValidatingBack(env.run.id), "revert", run::LadderOf(env.run)};
  settling.how.standing = "The partitions are back in their places";
  cutover::Say(env.progress.remark, co_await Settle(env, *now, never, settling));
  co_await Release(env);
}

bool IsRegroupedBack(const state::Step& step) {
  return step.state != state::StepState::kDone || step.spec.contains(kRegrouped);
}

}  // namespace pgalter::partition
