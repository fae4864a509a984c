#include "batcher/cutover/cutover_step.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <exception>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "batcher/copy/pace.h"
#include "batcher/cutover/keys_back.h"
#include "batcher/cutover/snapshot_guard.h"
#include "batcher/cutover/swap.h"
#include "batcher/cutover/twins.h"
#include "batcher/cutover/unsettled.h"
#include "batcher/cutover/validating.h"
#include "batcher/rebuild/follow.h"
#include "batcher/rebuild/spec.h"
#include "batcher/rebuild/store.h"
#include "batcher/rebuild/way_back.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/lock/human_attempts.h"
#include "engine/lock/ladder.h"
#include "engine/pg/kept_plans.h"
#include "engine/run/failure.h"
#include "engine/run/old_snapshots.h"
#include "engine/run/plan_spec.h"
#include "engine/run/standby_readers.h"
#include "engine/state/cutover_wish.h"

namespace pgalter::cutover {

using capture::Flow;
using run::ExitCode;
using run::Failure;

namespace {

constexpr std::int64_t kFew = 100;  // keys: what is left is drained under the lock
constexpr int kMostRounds = 20;     // of following them all
constexpr std::chrono::hours kLong{24 * 7};
constexpr async::Milliseconds kBetweenRounds{1000};  // while the cut-over is postponed

// The new table is as old as that, at most, to who reads it with a snapshot from before the swap.
constexpr async::Milliseconds kShortlyBefore{2000};

// Somebody wished so after the waiting was over.
struct Postponed : std::exception {};

Task<bool> MayCutOver(run::Environment& env) {
  const auto otherwise = rebuild::FromJson(env.run.spec).waits_at_cutover
                             ? state::CutoverDefault::kWait
                             : state::CutoverDefault::kAuto;
  co_return co_await state::MayCutOver(env.main, env.run.id, otherwise);
}

// Until all are followed at a time: what one is followed by, users change in the others.
Task<> FollowAll(run::Environment& env, async::Stopper& stopper, Session& user,
                 const std::vector<Flow>& flows) {
  for (int round = 0; round < kMostRounds; ++round) {
    std::int64_t applied = 0;
    for (const Flow& flow : flows)
      applied += co_await rebuild::Follow(env, stopper, user, flow, kFew);
    if (applied <= kFew || flows.size() == 1) co_return;
  }
}

// The swap itself took too long, which it does at any time where partitions are many.
std::string LongerHold(const lock::LadderOutcome& outcome, const lock::LadderOptions& options) {
  if (outcome.result != lock::LadderResult::kHoldOverrun) return "";
  return fmt::format("; or let users wait for longer than {} ms, there and back: --hold-budget {}s",
                     options.hold_budget.count(), (5 * options.hold_budget.count() + 999) / 1000);
}

// The swap was committed lazily: from here on it survives a crash.
Task<> Flush(run::Environment& env) {
  async::FailPoint("swap-not-flushed");
  auto write = [&]() -> Task<> {
    co_await guard::CheckLease(env.main, env.lease);
    co_await env.main.db().Query(
        "UPDATE pgalter.rebuild SET swapped_at = swapped_at WHERE run = $1", env.run.id);
  };
  co_await guard::RunInTransaction(env.main, write);
}

// Follows until little is left, then swaps under the ladder. `record` is what the step writes about
// itself in the same transaction. How long users were blocked, at most.
Task<async::Milliseconds> SwapUnderLadder(run::Environment& env, async::Stopper& stopper, Way way,
                                          std::vector<rebuild::Twin> twins, run::OldSnapshots& old,
                                          std::function<Task<>()> record) {
  const std::vector<Swap> swaps = co_await ReadSwaps(env, way);
  const bool back = way == Way::kBack;
  std::vector<Flow> flows;
  for (const Swap& swap : swaps) flows.push_back(swap.flow);
  Session user = co_await copy::OpenSession(env);
  // Users write meanwhile: the first time takes as long as all the planning.
  auto last = [&]() -> Task<> {
    co_await MayCutOver(env);
    co_await record();
  };
  auto rehearse = [&]() -> Task<> { co_await Rehearse(env, swaps, twins, last); };
  if (!back) co_await PrepareTriggers(env, swaps);
  co_await guard::RunInTransaction(env.main, rehearse);
  lock::Work work;
  // Attempts and their pauses may take minutes.
  auto ahead = [&]() -> Task<> {
    co_await FollowAll(env, stopper, user, flows);
    co_await old.RememberOnce(env.main);
  };
  work.ahead = ahead;
  Ready ready;
  auto before = [&]() -> Task<> {
    ready = co_await MakeReady(env, swaps, twins, last);
    co_await old.Await(env.main);
  };
  work.before = before;
  work.lock = LockOf(swaps);
  auto views = [&]() -> Task<std::vector<lock::View>> {
    co_return co_await ViewsOf(env, swaps, twins);
  };
  work.views = views;
  auto body = [&]() -> Task<> {
    const pg::KeptPlans plans(env.main.db());
    auto wish = [&]() -> Task<> {
      const bool may = back || co_await MayCutOver(env);
      if (!may) throw Postponed();
    };
    std::vector<std::function<Task<>()>> checks;
    checks.push_back([&]() { return CheckTwins(env, swaps, twins); });
    checks.push_back([&]() { return CheckUnderLock(env, swaps); });
    checks.emplace_back(wish);
    co_await env.main.db().Together(std::move(checks));
    co_await SwapTables(env, swaps, ready, twins);
    co_await record();
    co_await run::LetLateReadersThrough(env.main);
  };
  work.body = body;
  work.durability = guard::Durability::kLazy;
  const std::string names = NamesOf(swaps);
  const auto tell = [&env, &names](const lock::LadderReport& report) {
    const std::string why = lock::WhoIsInTheWay(report);
    env.progress.note =
        fmt::format("waiting for a lock on {}, {} so far{}", names,
                    lock::HumanAttempts(report.attempts), why.empty() ? "" : ": " + why);
  };
  const lock::LadderOptions options = run::LadderOf(env.run);
  const lock::LadderOutcome outcome = co_await lock::RunUnderLadder(
      env.main, env.observer, std::move(work), options, stopper, tell);
  env.progress.note.clear();
  if (outcome.result != lock::LadderResult::kDone)
    throw Failure(
        ExitCode::kLockNotObtained,
        fmt::format("the tables were not swapped, {} was too busy: {}. Nothing changed for "
                    "its users. At a quieter time: pgalter {} {}{}",
                    names, fmt::join(lock::Lines(outcome), "\n"), back ? "revert" : "resume",
                    env.run.id, LongerHold(outcome, options)));
  co_await Flush(env);
  co_return outcome.report.longest_blocked;
}

// Each once: it leaves the list in its transaction. What is to be said.
Task<std::string> AdoptUnderLadder(run::Environment& env, async::Stopper& stopper, std::string sql,
                                   std::size_t table, const SettledOn& on) {
  auto record = [&]() -> Task<> {
    co_await guard::CheckLease(env.main, env.lease);
    std::vector<rebuild::Stored> all = co_await rebuild::LoadAll(env.main, env.run.id);
    rebuild::Stored& stored = all.at(table);
    std::erase(stored.definition.adopt, sql);
    co_await rebuild::RecordDefinition(env.main, env.run.id, stored);
  };
  auto adopt = [&](std::string now) -> Task<> {
    lock::Work work;
    work.statements.push_back({now, {}});
    work.record = record;
    const lock::LadderOptions options = run::LadderOf(env.run);
    const lock::LadderOutcome outcome =
        co_await lock::RunUnderLadder(env.main, env.observer, std::move(work), options, stopper);
    async::FailPoint("key-adopted");
    if (outcome.result == lock::LadderResult::kDone) co_return;
    throw Failure(ExitCode::kLockNotObtained,
                  fmt::format("\"{}\" found no lock, the tables were too busy: {}. The key holds "
                              "for every partition already. At a quieter time: pgalter resume {}",
                              now, fmt::join(lock::Lines(outcome), "\n"), env.run.id));
  };
  co_return co_await AdoptAsOfNow(env.main, sql, on, adopt, record);
}

// What is to be said of it.
Task<std::string> Settle(run::Environment& env, async::Stopper& stopper, Validating how) {
  std::string said;
  const std::vector<rebuild::Stored> all = co_await rebuild::LoadAll(env.main, env.run.id);
  guard::Session session = co_await copy::OpenSession(env);
  session.db().set_query_deadline(kLong);
  for (std::size_t table = 0; table < all.size(); ++table) {
    const rebuild::Definition& definition = all[table].definition;
    if (definition.validate.empty() && definition.adopt.empty()) continue;
    for (const std::string& sql : definition.validate) {
      stopper.ThrowIfStopping();
      Say(said, co_await RunAsOfNow(session, sql, definition.settled_on, how));
      async::FailPoint("key-validated");
    }
    for (const std::string& sql : definition.adopt)
      Say(said, co_await AdoptUnderLadder(env, stopper, sql, table, definition.settled_on));
    // What is not valid from here on is so by somebody's wish.
    auto settled = [&]() -> Task<> {
      co_await guard::CheckLease(env.main, env.lease);
      std::vector<rebuild::Stored> now = co_await rebuild::LoadAll(env.main, env.run.id);
      now.at(table).definition.validate.clear();
      co_await rebuild::RecordDefinition(env.main, env.run.id, now.at(table));
    };
    co_await guard::RunInTransaction(env.main, settled);
  }
  co_return said;
}

// What users read of what leaves its place.
run::Tables TablesOf(const std::vector<Flow>& flows, const std::vector<rebuild::Twin>& twins) {
  run::Tables tables;
  for (const Flow& flow : flows) tables.push_back(flow.from_oid);
  for (const rebuild::Twin& twin : twins) tables.push_back(twin.of.oid);
  return tables;
}

Task<std::optional<std::string>> WhyNot(run::Environment& env, const state::Step& step,
                                        run::StandbyReaders& readers,
                                        const std::vector<Flow>& flows,
                                        const std::vector<rebuild::Twin>& twins) {
  const bool may = co_await MayCutOver(env);
  if (!may) {
    const std::string from = co_await state::CutOverNotBefore(env.main, env.run.id);
    co_return from.empty()
        ? fmt::format("it waits for: pgalter cutover {}", env.run.id)
        : fmt::format("it swaps not before {}; at once: pgalter cutover {}", from, env.run.id);
  }
  std::optional<std::string> reader = co_await readers.WhyNot(env, TablesOf(flows, twins));
  if (reader || env.outside == nullptr) co_return reader;
  co_return co_await env.outside->WhyNot("before-cutover", step.id);
}

// The log stays small, and the swap short, however long it takes. What is to be said of the swap.
Task<std::string> AwaitLeave(run::Environment& env, const state::Step& step,
                             std::vector<rebuild::Twin> twins, run::OldSnapshots& old) {
  std::vector<Flow> flows = co_await capture::LoadFlows(env.main, env.run.id, "forward");
  run::StandbyReaders readers;
  std::optional<std::string> why = co_await WhyNot(env, step, readers, flows, twins);
  if (!why) co_return readers.remark();
  Session user = co_await copy::OpenSession(env);
  while (why) {
    flows = co_await capture::LoadFlows(env.main, env.run.id, "forward");
    const auto begun = async::Clock::now();
    std::string names;
    for (const Flow& flow : flows) {
      co_await rebuild::Follow(env, env.stopper, user, flow, kFew);
      names += (names.empty() ? "" : ", ") + flow.from;
    }
    if (async::Clock::now() - begun > kShortlyBefore) old.Forget();
    co_await old.RememberOnce(env.main);
    env.progress.note =
        fmt::format("the new table of {} is ready and kept up to date; {}", names, *why);
    env.progress.fraction = 1;
    async::FailPoint("cutover-waits");
    co_await env.stopper.SleepFor(kBetweenRounds);
    why = co_await WhyNot(env, step, readers, flows, twins);
  }
  env.progress.note.clear();
  co_return readers.remark();
}

// What is to be said of the swap.
Task<std::string> AwaitReadersBack(run::Environment& env, async::Stopper& stopper,
                                   std::vector<rebuild::Twin> twins) {
  const std::vector<Flow> flows = co_await capture::LoadFlows(env.main, env.run.id, "reverse");
  if (run::ReplicasOf(env).empty() || flows.empty()) co_return "";
  Session user = co_await copy::OpenSession(env);
  auto follow = [&]() -> Task<> {
    for (const Flow& flow : flows) co_await rebuild::Follow(env, stopper, user, flow, kFew);
  };
  co_return co_await run::AwaitStandbyReaders(env, stopper, TablesOf(flows, twins), follow);
}

// On the way back.
Task<std::string> SayLostKeys(run::Environment& env) {
  std::string said;
  const rebuild::Spec spec = rebuild::FromJson(env.run.spec);
  const std::vector<rebuild::Stored> all = co_await rebuild::LoadAll(env.main, env.run.id);
  for (const rebuild::Stored& stored : all) {
    const rebuild::Spec own = rebuild::OfTable(spec, stored.number);
    const std::string lost = co_await SayLost(env.main, own.going.keys, own.table);
    if (!said.empty() && !lost.empty()) said += "; ";
    said += lost;
  }
  co_return said;
}

enum class Standing { kNothingMade, kNotSwapped, kSwapped };

Task<Standing> ReadStanding(run::Environment& env) {
  const pg::Result row = co_await env.main.db().Query(
      "SELECT swapped_at IS NOT NULL FROM pgalter.rebuild WHERE run = $1 LIMIT 1", env.run.id);
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
  std::string remark;
  Patience patience(env.run.id, Way::kThere);
  run::OldSnapshots old;
  while (!swapped) {
    const std::vector<rebuild::Twin> none;
    remark = co_await AwaitLeave(env, step, none, old);
    const std::vector<rebuild::Twin> twins = co_await MakeTwins(env, env.stopper, Way::kThere);
    if (!twins.empty()) {
      old.Forget();  // who has a snapshot from before sees nothing in them
      // That may have taken long.
      remark = co_await AwaitLeave(env, step, twins, old);
    }
    try {
      swapped = co_await SwapUnderLadder(env, env.stopper, Way::kThere, twins, old, record);
    } catch (const Postponed&) {
      swapped.reset();
    } catch (const TwinsOutdated& outdated) {
      patience.Wear(outdated);
    }
  }
  const async::Milliseconds blocked = *swapped;
  async::FailPoint("cut-over");
  env.progress.remark = fmt::format("{}{}users were blocked for at most {} ms at the cut-over",
                                    remark, remark.empty() ? "" : "; ", blocked.count());
  const std::string until = co_await rebuild::WayBackUntil(env.main, env.run.id);
  if (!until.empty()) env.progress.remark += fmt::format("; it can be reverted until {}", until);
  co_await env.main.db().Query("UPDATE pgalter.rebuild SET blocked_ms = $2 WHERE run = $1",
                               env.run.id, static_cast<double>(blocked.count()));
}

// What users have written since is carried over first, so nothing is lost.
run::Task<> CutoverStep::Undo(run::Environment& env, const state::Step&) {
  const Standing standing = co_await ReadStanding(env);
  if (standing == Standing::kNothingMade) co_return;
  async::Stopper never;  // an abort is a stop already
  const Validating back = ValidatingBack(env.run.id);
  if (standing == Standing::kNotSwapped) {
    // Or swapped back by a runner that ended before it had settled that.
    Say(env.progress.remark, co_await Settle(env, never, back));
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
  Patience patience(env.run.id, Way::kBack);
  const std::string lost = co_await SayLostKeys(env);
  std::string remark;
  for (bool swapped = false; !swapped;) {
    const std::vector<rebuild::Twin> twins = co_await MakeTwins(env, never, Way::kBack);
    remark = co_await AwaitReadersBack(env, never, twins);
    run::OldSnapshots old;
    try {
      co_await SwapUnderLadder(env, never, Way::kBack, twins, old, record);
      swapped = true;
    } catch (const TwinsOutdated& outdated) {
      patience.Wear(outdated);
    }
  }
  async::FailPoint("swapped-back");
  Say(remark, lost);
  env.progress.remark = remark;
  co_await AwaitOlderTransactions(env.main);
  Say(env.progress.remark, co_await Settle(env, never, back));
}

run::Task<bool> CutoverStep::StillStands(run::Environment& env, const state::Step&) {
  const Standing standing = co_await ReadStanding(env);
  co_return standing == Standing::kSwapped;
}

run::Task<bool> SettleStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> SettleStep::Do(run::Environment& env, const state::Step&) {
  const Validating there = ValidatingThere(env.run.id);
  Say(env.progress.remark, co_await Settle(env, env.stopper, there));
}

run::Task<> SettleStep::Undo(run::Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::cutover
