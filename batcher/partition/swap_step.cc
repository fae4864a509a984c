#include "batcher/partition/swap_step.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

#include "batcher/capture/catch_up.h"
#include "batcher/capture/flow_sql.h"
#include "batcher/copy/pace.h"
#include "batcher/cutover/carry_over.h"
#include "batcher/cutover/swap_checks.h"
#include "batcher/cutover/unsettled.h"
#include "batcher/partition/alike.h"
#include "batcher/partition/obstacles.h"
#include "batcher/partition/parts_step.h"
#include "batcher/partition/regroup.h"
#include "batcher/partition/rejoin.h"
#include "batcher/partition/release_step.h"
#include "batcher/partition/repart.h"
#include "batcher/partition/shape.h"
#include "batcher/rebuild/follow.h"
#include "batcher/rebuild/store.h"
#include "engine/async/fail_point.h"
#include "engine/guard/execute.h"
#include "engine/lock/human_attempts.h"
#include "engine/lock/ladder.h"
#include "engine/run/failure.h"
#include "engine/run/old_snapshots.h"
#include "engine/run/plan_spec.h"
#include "engine/run/standby_readers.h"
#include "engine/state/artefacts.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using Texts = std::vector<std::string>;

namespace {

constexpr std::int64_t kFew = 100;  // keys: what is left is drained under the lock

// Indexes of a partition that is renamed; $1 it, $2 its name, $3 its name to be (both not quoted).
constexpr const char* kIndexNames = R"sql(
SELECT quote_ident(c.relname), quote_ident(left($3::text || substr(c.relname, length($2::text) + 1), 63))
FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
WHERE x.indrelid = $1::regclass AND starts_with(c.relname, $2::text)
)sql";

// The old partition keeps its own once it is detached, and would keep users from deleting there.
constexpr const char* kOwnKeys = R"sql(
SELECT DISTINCT format('ALTER TABLE %s.%I DROP CONSTRAINT %I', $2::text, c.relname, conname)
FROM pg_constraint f JOIN pg_class c ON c.oid = conrelid
WHERE conrelid = ANY ($1::int8[]::oid[]) AND contype = 'f'
)sql";

// Of those with these numbers ($1) and names ($2), the ones that are no partition of $3.
constexpr const char* kNotThere = R"sql(
SELECT name FROM unnest($1::int8[], $2::text[]) u (relid, name)
WHERE to_regclass(name)::oid IS DISTINCT FROM relid::oid
   OR NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = relid::oid AND inhparent = $3
                  AND NOT inhdetachpending)
)sql";

class Swapping {
 public:
  Swapping(run::Environment& env, const RepartSpec& spec, const rebuild::Stored& stored,
           const capture::Flow& flow, Joins joins)
      : env_(env),
        session_(env.main),
        spec_(spec),
        stored_(stored),
        flow_(flow),
        joins_(std::move(joins)) {}

  // In the transaction that holds the locks.
  Task<> Run() {
    co_await guard::CheckLease(session_, env_.lease);
    co_await cutover::CheckCapture(session_, flow_, env_.run.id);
    co_await run::AwaitOldSnapshots(session_);
    const Texts old = OldPartitions(spec_);
    co_await RefuseGone(old);
    co_await CheckShape();
    co_await RefuseObstaclesNow(env_, spec_, old, Moving::kByCopy, "resume");
    if (async::SafeguardOn("final-drain"))
      co_await capture::Drain(session_, flow_, copy::PaceOf(env_).settings);
    async::FailPoint("drained");
    Rejoined rejoined = co_await ReadRejoined(env_, spec_, old, joins_, "resume");
    co_await Execute(session_, rejoined.before);
    const Texts keys = co_await OwnKeys();
    co_await TakeOut();
    Texts statements;
    for (const Target& target : spec_.targets)
      statements.push_back(
          fmt::format("ALTER TABLE {} DETACH PARTITION {}", flow_.to, Made(target)));
    statements.insert(statements.end(), keys.begin(), keys.end());
    for (const std::string& partition : old)
      statements.push_back(fmt::format("ALTER TABLE {} SET SCHEMA {}", partition, Aside()));
    for (const Target& target : spec_.targets) co_await Place(target, statements);
    if (!spec_.rest.empty() && !spec_.outside.empty())
      statements.push_back(
          fmt::format("ALTER TABLE {} DROP CONSTRAINT IF EXISTS pgalter_outside", spec_.rest));
    statements.insert(statements.end(), rejoined.after.begin(), rejoined.after.end());
    const Texts made = NewPartitions(spec_);
    for (std::string& sql : co_await GuardWhole(env_, stored_.schema, spec_.parent, made))
      statements.push_back(std::move(sql));
    co_await guard::ExecuteUnder(session_, copy::PaceOf(env_).settings, statements);
    later_ = std::move(rejoined.later);
    later_.on = co_await cutover::ReadSettledOn(session_, later_.validate, later_.adopt);
    async::FailPoint("swapped");
    co_await Record();
    co_await RecordWholeGuard(env_, stored_.schema, spec_.parent, made);
    co_await run::LetLateReadersThrough(session_);
  }

  [[nodiscard]] const Later& later() const { return later_; }

 private:
  [[nodiscard]] std::string Made(const Target& target) const {
    return stored_.schema + "." + target.name;
  }
  [[nodiscard]] std::string Old() const { return spec_.home + "." + spec_.source; }
  [[nodiscard]] std::string Aside() const { return stored_.schema + "_old"; }

  // From here on nobody grants anything on it: what it has of its own is known.
  Task<> TakeOut() {
    const bool asks = async::SafeguardOn("alike-under-lock");
    if (asks) alike_ = co_await LikeTheOld(session_, Old());
    if (asks)
      for (Form& form : co_await ColumnsLike(session_, Old(), spec_.parent))
        alike_.push_back(std::move(form));
    Texts statements = capture::DropTriggers(flow_);
    const Texts old = OldPartitions(spec_);
    for (const std::string& partition : old)
      statements.push_back(
          fmt::format("ALTER TABLE {} DETACH PARTITION {}", spec_.parent, partition));
    co_await Execute(session_, statements);
    if (!asks) co_return;
    if (old.size() > 1) co_await RefuseUnlike(old);
    for (Form& form : co_await RightsOf(session_, Old())) alike_.push_back(std::move(form));
    const std::string made = Made(spec_.targets.front());
    for (Form& form : co_await ParametersOf(session_, Old(), made))
      alike_.push_back(std::move(form));
  }

  // Somebody has detached or renamed one meanwhile.
  Task<> RefuseGone(const Texts& old) {
    const pg::Result gone =
        co_await session_.db().Query(kNotThere, flow_.source_oids(), old, spec_.parent_oid);
    if (gone.empty()) co_return;
    throw Failure(ExitCode::kRefused,
                  fmt::format("{0} is no partition of {1} under that name any more, so nothing was "
                              "exchanged. Give it back its name or place, then: pgalter resume "
                              "{2}; or: pgalter abort {2} --yes",
                              gone.Get<std::string>(0, 0), spec_.parent, env_.run.id));
  }

  Task<> RefuseUnlike(const Texts& old) {
    const std::string unlike = co_await FindUnlike(session_, old);
    if (!unlike.empty())
      throw Failure(ExitCode::kRefused,
                    fmt::format("the partitions of {} are not exchanged, since {}. Nothing was "
                                "changed. Then: pgalter resume {}",
                                spec_.parent, unlike, env_.run.id));
  }

  Task<> CheckShape() {
    const std::string now = co_await ShapesOf(session_, spec_.parent_oid, flow_.sources());
    for (const state::Step& step : co_await state::LoadSteps(session_, env_.run.id)) {
      const auto* kept = step.spec.if_contains(kShape);
      if (kept == nullptr) continue;
      const std::string_view then = kept->as_string();
      // A run of an older program does not say where the old one lies.
      if (then == now || then == now.substr(0, now.find(' '))) continue;
      throw Failure(
          ExitCode::kRefused,
          fmt::format("{} or {} got other columns, indexes or constraints, another owner "
                      "or place while run {} worked on it, which its new partitions "
                      "lack. Nothing was changed. Take that back, and pgalter resume "
                      "{}; or pgalter abort {} --yes, and begin again",
                      spec_.parent, flow_.source_names(), env_.run.id, env_.run.id, env_.run.id));
    }
  }

  Task<Texts> OwnKeys() {
    const pg::Result rows = co_await session_.db().Query(kOwnKeys, flow_.source_oids(), spec_.home);
    Texts statements;
    for (int i = 0; i < rows.rows(); ++i) statements.push_back(rows.Get<std::string>(i, 0));
    co_return statements;
  }

  Task<> Place(const Target& target, Texts& statements) {
    statements.push_back(fmt::format("ALTER TABLE {} SET SCHEMA {}", Made(target), spec_.home));
    const std::string name = spec_.home + "." + target.becomes;
    if (target.becomes != target.name) {
      statements.push_back(
          fmt::format("ALTER TABLE {}.{} RENAME TO {}", spec_.home, target.name, target.becomes));
      const auto now = sql::ParseQualifiedName(target.name);
      const auto then = sql::ParseQualifiedName(target.becomes);
      const std::string made = Made(target);
      const pg::Result indexes =
          co_await session_.db().Query(kIndexNames, made, now->name, then->name);
      for (int i = 0; i < indexes.rows(); ++i)
        statements.push_back(fmt::format("ALTER INDEX {}.{} RENAME TO {}", spec_.home,
                                         indexes.Get<std::string>(i, 0),
                                         indexes.Get<std::string>(i, 1)));
    }
    statements.push_back(
        fmt::format("ALTER TABLE {} ATTACH PARTITION {} {}", spec_.parent, name, target.bound));
    if (!target.inside.empty())
      statements.push_back(fmt::format("ALTER TABLE {} DROP CONSTRAINT pgalter_bound", name));
    AddFor(name, alike_, statements);
  }

  Task<> Record() {
    for (const state::Artefact& artefact : co_await state::LiveArtefacts(session_, env_.run.id))
      if (rebuild::IsOfRebuild(artefact) &&
          (artefact.kind == "trigger" || artefact.kind == "function"))
        co_await state::RecordDropped(session_, artefact);
    Texts names = spec_.also;
    names.push_back(spec_.source);
    for (const std::string& name : names)
      co_await state::RecordArtefact(session_, env_.run.id, "table", Aside() + "." + name);
  }

  run::Environment& env_;
  Session& session_;
  const RepartSpec& spec_;
  const rebuild::Stored& stored_;
  const capture::Flow& flow_;
  Joins joins_;
  Forms alike_;
  Later later_;
};

// The next attempt would take as long.
std::string Advice(const lock::LadderOutcome& outcome, const RepartSpec& spec,
                   const lock::LadderOptions& options, const std::string& run) {
  if (outcome.result != lock::LadderResult::kHoldOverrun) return "";
  if (spec.targets.size() == 1)
    return fmt::format(
        ". To exchange the partitions takes longer than users may wait ({} ms): to let them wait "
        "longer, pgalter resume {} --hold-budget 5s",
        options.hold_budget.count(), run);
  return fmt::format(
      ". To put {} partitions in place takes longer than users may wait ({} ms): where resume ends "
      "so again, abort the run, and split with --hold-budget, or into fewer and these again",
      spec.targets.size(), options.hold_budget.count());
}

}  // namespace

run::Task<bool> SwapStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> SwapStep::Do(run::Environment& env, const state::Step& step) {
  const RepartSpec spec = RepartFromJson(env.run.spec.at(kRepart).as_object());
  const rebuild::Stored stored = co_await rebuild::Load(env.main, env.run.id);
  const capture::Flow flow = co_await capture::LoadFlow(env.main, env.run.id, "forward");
  Session user = co_await copy::OpenSession(env);
  auto follow = [&]() -> Task<> { co_await rebuild::Follow(env, env.stopper, user, flow, kFew); };
  run::Tables tables{spec.parent_oid};
  const std::string remark =
      co_await run::AwaitStandbyReaders(env, env.stopper, std::move(tables), follow);
  co_await follow();
  const std::optional<state::Step> settle = co_await FindStep(env, kSettle);
  Joins joins;
  joins.locked = co_await cutover::ReadJoined(env.main, spec.parent_oid);
  joins.has_settle = settle.has_value();
  lock::Work work;
  run::OldSnapshots old;
  auto ahead = [&]() -> Task<> { co_await old.RememberOnce(env.main); };
  work.ahead = ahead;
  auto before = [&]() -> Task<> { co_await old.Await(env.main); };
  work.before = before;
  work.lock = LockAround(joins.locked, spec, flow.to);
  Later later;
  auto body = [&]() -> Task<> {
    Swapping swapping(env, spec, stored, flow, joins);
    co_await swapping.Run();
    later = swapping.later();
  };
  work.body = body;
  auto record = [&]() -> Task<> {
    if (settle) co_await KeepForLater(env, *settle, later);
    co_await state::RecordStep(env.main, env.lease, step.ordinal, state::StepState::kDone);
  };
  work.record = record;
  const auto tell = [&env, &spec](const lock::LadderReport& report) {
    const std::string why = lock::WhoIsInTheWay(report);
    env.progress.note =
        fmt::format("waiting for a lock on {}, {} so far{}", spec.parent,
                    lock::HumanAttempts(report.attempts), why.empty() ? "" : ": " + why);
  };
  const lock::LadderOptions options = run::LadderOf(env.run);
  const lock::LadderOutcome outcome = co_await lock::RunUnderLadder(
      env.main, env.observer, std::move(work), options, env.stopper, tell);
  env.progress.note.clear();
  if (outcome.result != lock::LadderResult::kDone)
    throw Failure(ExitCode::kLockNotObtained,
                  fmt::format("the partitions were not exchanged, {} was too busy: {}. Nothing "
                              "changed for its users. At a quieter time: pgalter resume {}",
                              spec.parent, fmt::join(lock::Lines(outcome), "\n"), env.run.id) +
                      Advice(outcome, spec, options, env.run.id));
  async::FailPoint("swap-committed");
  env.progress.remark =
      fmt::format("{}{}users were blocked for at most {} ms at the cut-over", remark,
                  remark.empty() ? "" : "; ", outcome.report.longest_blocked.count());
}

run::Task<> SwapStep::Undo(run::Environment& env, const state::Step& step) {
  co_await RegroupBack(env, step);
}

run::Task<bool> SwapStep::StillStands(run::Environment&, const state::Step& step) {
  co_return !IsRegroupedBack(step);
}

}  // namespace pgalter::partition
