// Which attempt, pause or end comes next, and who may be acted on.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "engine/lock/blocker_policy.h"
#include "engine/lock/ladder_policy.h"
#include "engine/lock/lock_tables.h"
#include "engine/lock/locks_view.h"

namespace pgalter::lock {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

struct Move {
  Event event;
  Situation now;
  Action action;
};

struct LadderCase {
  std::string name;
  LadderOptions options;
  double jitter;
  std::vector<Move> moves;
};

Situation At(Milliseconds elapsed, bool only_autovacuum = false,
             Milliseconds deadlock_timeout = 1000ms) {
  return {elapsed, only_autovacuum, deadlock_timeout};
}

LadderOptions With(BlockerPolicy policy) {
  LadderOptions options;
  options.policy = policy;
  return options;
}

LadderOptions WithBudget(Milliseconds budget) {
  LadderOptions options;
  options.budget = budget;
  return options;
}

LadderOptions WithAttempts(Milliseconds first, Milliseconds top) {
  LadderOptions options;
  options.first_attempt = first;
  options.top_attempt = top;
  return options;
}

const std::vector<LadderCase>& Cases() {
  static const std::vector<LadderCase> cases = {
      {"GrowsToTheTop",
       {},
       0.0,
       {{Event::kStart, At(0ms), Attempt{100ms}},
        {Event::kLockNotAvailable, At(100ms), Pause{200ms}},
        {Event::kPaused, At(300ms), Attempt{150ms}},
        {Event::kLockNotAvailable, At(450ms), Pause{200ms}},
        {Event::kPaused, At(650ms), Attempt{225ms}},
        {Event::kLockNotAvailable, At(875ms), Pause{200ms}},
        {Event::kPaused, At(1s), Attempt{337ms}},
        {Event::kLockNotAvailable, At(2s), Pause{200ms}},
        {Event::kPaused, At(2s), Attempt{450ms}},
        {Event::kLockNotAvailable, At(3s), Pause{200ms}},
        {Event::kPaused, At(3s), Attempt{450ms}}}},
      {"PausesSpreadWiderAfterEachFailure",
       {},
       0.5,
       {{Event::kStart, At(0ms), Attempt{100ms}},
        {Event::kLockNotAvailable, At(0ms), Pause{300ms}},
        {Event::kLockNotAvailable, At(0ms), Pause{400ms}},
        {Event::kLockNotAvailable, At(0ms), Pause{550ms}},
        {Event::kLockNotAvailable, At(0ms), Pause{775ms}},
        {Event::kLockNotAvailable, At(0ms), Pause{1100ms}},
        {Event::kLockNotAvailable, At(0ms), Pause{1100ms}}}},
      {"StaysBelowTheDeadlockCheck",
       {},
       0.0,
       {{Event::kStart, At(0ms, false, 100ms), Attempt{90ms}},
        {Event::kLockNotAvailable, At(90ms, false, 100ms), Pause{200ms}},
        {Event::kPaused, At(290ms, false, 100ms), Attempt{90ms}}}},
      {"NeverLongerThanTwoSeconds",
       WithAttempts(10s, 20s),
       0.0,
       {{Event::kStart, At(0ms, false, 60s), Attempt{2000ms}}}},
      {"NeverWithoutATimeout",
       WithAttempts(0ms, 0ms),
       0.0,
       {{Event::kStart, At(0ms), Attempt{10ms}}}},
      {"TriesOnceHoweverSmallTheBudget",
       WithBudget(0ms),
       0.0,
       {{Event::kStart, At(0ms), Attempt{100ms}}, {Event::kLockNotAvailable, At(100ms), GiveUp{}}}},
      {"GivesUpWhereNoAttemptFitsAnyMore",
       WithBudget(1000ms),
       0.0,
       {{Event::kStart, At(0ms), Attempt{100ms}},
        {Event::kLockNotAvailable, At(650ms), Pause{200ms}},
        {Event::kPaused, At(850ms), Attempt{150ms}},
        {Event::kLockNotAvailable, At(1000ms), GiveUp{}}}},
      {"DeadlockIsRetriedAtTheSameLength",
       {},
       0.0,
       {{Event::kStart, At(0ms), Attempt{100ms}},
        {Event::kDeadlock, At(100ms), Pause{200ms}},
        {Event::kPaused, At(300ms), Attempt{100ms}}}},
      {"HoldOverrunsPauseLongAndEnd",
       {},
       0.9,
       {{Event::kStart, At(0ms), Attempt{100ms}},
        {Event::kHoldOverrun, At(1s), Pause{1820ms}},
        {Event::kPaused, At(3s), Attempt{100ms}},
        {Event::kHoldOverrun, At(4s), Pause{1820ms}},
        {Event::kPaused, At(6s), Attempt{100ms}},
        {Event::kHoldOverrun, At(7s), GiveUp{}}}},
      {"OutwaitsAutovacuumOnce",
       With(BlockerPolicy::kCancelAutovacuum),
       0.0,
       {{Event::kStart, At(0ms), Attempt{100ms}},
        {Event::kLockNotAvailable, At(100ms, true), Pause{200ms}},
        {Event::kPaused, At(300ms), Attempt{1500ms, true}},
        {Event::kLockNotAvailable, At(2s, true), Pause{200ms}},
        {Event::kPaused, At(3s), Attempt{225ms}}}},
      {"DoesNotOutwaitAutovacuumUnlessAsked",
       With(BlockerPolicy::kWait),
       0.0,
       {{Event::kStart, At(0ms), Attempt{100ms}},
        {Event::kLockNotAvailable, At(100ms, true), Pause{200ms}},
        {Event::kPaused, At(300ms), Attempt{150ms}}}},
      {"DoesNotOutwaitWhereItTakesMoreThanTwoSeconds",
       With(BlockerPolicy::kCancelAutovacuum),
       0.0,
       {{Event::kStart, At(0ms, false, 1600ms), Attempt{100ms}},
        {Event::kLockNotAvailable, At(100ms, true, 1600ms), Pause{200ms}},
        {Event::kPaused, At(300ms, false, 1600ms), Attempt{150ms}}}},
      {"DoesNotOutwaitOthersBesideAutovacuum",
       With(BlockerPolicy::kCancelAutovacuum),
       0.0,
       {{Event::kStart, At(0ms), Attempt{100ms}},
        {Event::kLockNotAvailable, At(100ms, false), Pause{200ms}},
        {Event::kPaused, At(300ms), Attempt{150ms}}}},
  };
  return cases;
}

std::string InWords(const Action& action) {
  if (const auto* attempt = std::get_if<Attempt>(&action))
    return "attempt " + std::to_string(attempt->lock_timeout.count()) +
           (attempt->outwaits_autovacuum ? " past deadlock_timeout" : "");
  if (const auto* pause = std::get_if<Pause>(&action))
    return "pause " + std::to_string(pause->duration.count());
  return "give up";
}

class LadderTable : public ::testing::TestWithParam<LadderCase> {};

TEST_P(LadderTable, TakesTheseMoves) {
  const LadderCase& c = GetParam();
  Ladder ladder(c.options, [&] { return c.jitter; });
  for (std::size_t i = 0; i < c.moves.size(); ++i) {
    const Action action = ladder.Next(c.moves[i].event, c.moves[i].now);
    EXPECT_EQ(InWords(action), InWords(c.moves[i].action)) << "move " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Ladder, LadderTable, ::testing::ValuesIn(Cases()),
                         [](const auto& test) { return test.param.name; });

TEST(Ladder, AttemptsStayShortUnderAnyOptions) {
  for (const auto first : {0ms, 1ms, 700ms, 5000ms}) {
    for (const auto deadlock_timeout : {1ms, 500ms, 1000ms, 3000ms, 3600000ms}) {
      LadderOptions options = WithAttempts(first, 9000ms);
      options.policy = BlockerPolicy::kCancelAutovacuum;
      options.growth = 7;
      Ladder ladder(options, [] { return 0.999; });
      Event event = Event::kStart;
      for (int i = 0; i < 20; ++i) {
        const Action action = ladder.Next(event, At(0ms, true, deadlock_timeout));
        event = Event::kPaused;
        if (const auto* attempt = std::get_if<Attempt>(&action)) {
          EXPECT_GT(attempt->lock_timeout, 0ms);
          EXPECT_LE(attempt->lock_timeout, kLongestAttempt);
          if (!attempt->outwaits_autovacuum && deadlock_timeout > 20ms) {
            EXPECT_LT(attempt->lock_timeout, deadlock_timeout);
          }
          event = Event::kLockNotAvailable;
        }
      }
    }
  }
}

struct ActionCase {
  std::string name;
  BlockerPolicy policy;
  BlockerKind kind;
  std::string state;
  std::optional<Milliseconds> state_age;
  BlockerAction action;
};

const std::vector<ActionCase>& ActionCases() {
  using enum BlockerPolicy;
  using enum BlockerKind;
  const std::string idle = "idle in transaction";
  static const std::vector<ActionCase> cases = {
      {"WaitLeavesIdle", kWait, kClient, idle, 1h, BlockerAction::kLeave},
      {"WaitLeavesAutovacuum", kWait, kAutovacuum, "active", 1h, BlockerAction::kLeave},
      {"OutwaitsAutovacuum", kCancelAutovacuum, kAutovacuum, "active", 1h, BlockerAction::kOutwait},
      {"NeverAgainstWraparound", kCancelAutovacuum, kAutovacuumWraparound, "active", 1h,
       BlockerAction::kLeave},
      {"CancelAutovacuumLeavesIdle", kCancelAutovacuum, kClient, idle, 1h, BlockerAction::kLeave},
      {"TerminatesIdleAtTheLimit", kTerminateIdle, kClient, idle, 300s, BlockerAction::kTerminate},
      {"TerminatesAbortedIdle", kTerminateIdle, kClient, idle + " (aborted)", 301s,
       BlockerAction::kTerminate},
      {"LeavesYoungIdle", kTerminateIdle, kClient, idle, 299999ms, BlockerAction::kLeave},
      {"LeavesUnknownAge", kTerminateIdle, kClient, idle, std::nullopt, BlockerAction::kLeave},
      {"LeavesActive", kTerminateIdle, kClient, "active", 1h, BlockerAction::kLeave},
      {"LeavesHidden", kTerminateIdle, kNotVisible, "", std::nullopt, BlockerAction::kLeave},
      {"NeverAWalSender", kTerminateIdle, kWalSender, idle, 1h, BlockerAction::kLeave},
      {"NeverABackup", kTerminateIdle, kBackup, idle, 1h, BlockerAction::kLeave},
      {"NeverAnotherRun", kTerminateIdle, kOwnRun, idle, 1h, BlockerAction::kLeave},
      {"NeverAPreparedTransaction", kTerminateIdle, kPreparedTransaction, idle, 1h,
       BlockerAction::kLeave},
      {"NeverAServerProcess", kTerminateIdle, kOther, idle, 1h, BlockerAction::kLeave},
      {"NeverAParallelWorker", kTerminateIdle, kParallelWorker, idle, 1h, BlockerAction::kLeave},
      {"TerminateIdleLeavesAutovacuum", kTerminateIdle, kAutovacuum, "active", 1h,
       BlockerAction::kLeave},
  };
  return cases;
}

class ActionTable : public ::testing::TestWithParam<ActionCase> {};

TEST_P(ActionTable, IsTaken) {
  Blocker blocker;
  blocker.session.pid = 4711;
  blocker.session.kind = GetParam().kind;
  blocker.session.state = GetParam().state;
  blocker.session.state_age = GetParam().state_age;
  EXPECT_EQ(ActionOn(blocker, With(GetParam().policy)), GetParam().action);
}

INSTANTIATE_TEST_SUITE_P(Blocker, ActionTable, ::testing::ValuesIn(ActionCases()),
                         [](const auto& test) { return test.param.name; });

TEST(Blockers, AutovacuumIsOutwaitedOnlyWhenAlone) {
  Blocker autovacuum;
  autovacuum.session.kind = BlockerKind::kAutovacuum;
  Blocker client;
  client.session.kind = BlockerKind::kClient;
  Blocker wraparound;
  wraparound.session.kind = BlockerKind::kAutovacuumWraparound;
  EXPECT_FALSE(OnlyAutovacuum({}));
  EXPECT_TRUE(OnlyAutovacuum({autovacuum, autovacuum}));
  EXPECT_FALSE(OnlyAutovacuum({autovacuum, client}));
  EXPECT_FALSE(OnlyAutovacuum({autovacuum, wraparound}));
}

SessionTraits Traits(std::string backend_type, std::string application_name,
                     std::string query = "") {
  SessionTraits traits;
  traits.backend_type = std::move(backend_type);
  traits.application_name = std::move(application_name);
  traits.query = std::move(query);
  return traits;
}

TEST(KindOf, TellsSessionsApart) {
  EXPECT_EQ(KindOf(Traits("client backend", "psql")), BlockerKind::kClient);
  EXPECT_EQ(KindOf(Traits("client backend", "pgalter/0b3f")), BlockerKind::kOwnRun);
  EXPECT_EQ(KindOf(Traits("client backend", "pgalter")), BlockerKind::kOwnRun);
  EXPECT_EQ(KindOf(Traits("client backend", "pgalterations")), BlockerKind::kClient);
  EXPECT_EQ(KindOf(Traits("client backend", "pg_dump")), BlockerKind::kBackup);
  EXPECT_EQ(KindOf(Traits("client backend", "pgBackRest [backup]")), BlockerKind::kBackup);
  EXPECT_EQ(KindOf(Traits("walsender", "standby1")), BlockerKind::kWalSender);
  EXPECT_EQ(KindOf(Traits("parallel worker", "psql")), BlockerKind::kParallelWorker);
  EXPECT_EQ(KindOf(Traits("logical replication worker", "")), BlockerKind::kOther);
  EXPECT_EQ(KindOf(Traits("autovacuum worker", "", "autovacuum: VACUUM public.t")),
            BlockerKind::kAutovacuum);
  EXPECT_EQ(KindOf(Traits("autovacuum worker", "",
                          "autovacuum: VACUUM public.t (to prevent wraparound)")),
            BlockerKind::kAutovacuumWraparound);
}

TEST(KindOf, KnowsHiddenAutovacuumByItsLock) {
  SessionTraits traits = Traits("", "");
  traits.lock_mode = locks::LockMode::kShareUpdateExclusive;
  EXPECT_EQ(KindOf(traits), BlockerKind::kNotVisible);
  traits.has_user = false;
  EXPECT_EQ(KindOf(traits), BlockerKind::kAutovacuum);
  traits.wraparound_due = true;
  EXPECT_EQ(KindOf(traits), BlockerKind::kAutovacuumWraparound);
  traits.lock_mode = locks::LockMode::kAccessExclusive;
  EXPECT_EQ(KindOf(traits), BlockerKind::kNotVisible);
}

Blocker IdleClient() {
  Blocker blocker;
  blocker.session.pid = 4711;
  blocker.session.kind = BlockerKind::kClient;
  blocker.session.user = "y";
  blocker.session.application_name = "x";
  blocker.session.state = "idle in transaction";
  blocker.session.transaction_age = 3min;
  blocker.session.state_age = 90s;
  blocker.session.query = "UPDATE t SET a = $1";
  blocker.lock = {"relation", "public.t", locks::LockMode::kRowExclusive, true};
  return blocker;
}

TEST(Describe, SaysWhoHoldsWhatForHowLong) {
  EXPECT_EQ(Describe(IdleClient()),
            "pid 4711 (app «x», user y) holds ROW EXCLUSIVE on public.t, transaction open for 3 "
            "min, idle in transaction for 90 s: «UPDATE t SET a = $1»");
}

TEST(Describe, EscapesControlCharacters) {
  Blocker blocker = IdleClient();
  blocker.session.user = "a\x1b[2Jb\n";
  EXPECT_THAT(Describe(blocker), HasSubstr("a\\x1b[2Jb\\x0a"));
}

TEST(Describe, NamesThePreparedTransactionAndItsWayOut) {
  Blocker blocker;
  blocker.session.kind = BlockerKind::kPreparedTransaction;
  blocker.session.prepared_gid = "order-17";
  blocker.session.user = "y";
  blocker.session.transaction_age = 50h;
  blocker.lock = {"relation", "public.t", locks::LockMode::kRowExclusive, true};
  EXPECT_EQ(
      Describe(blocker),
      "the prepared transaction «order-17» (user y) holds ROW EXCLUSIVE on public.t, prepared "
      "2 d ago; it ends only by COMMIT PREPARED or ROLLBACK PREPARED");
}

TEST(Describe, SaysWhatWouldShowHiddenDetails) {
  Blocker blocker;
  blocker.session.pid = 4711;
  blocker.session.user = "y";
  blocker.lock = {"relation", "public.t", locks::LockMode::kRowExclusive, true};
  EXPECT_THAT(Describe(blocker), HasSubstr("GRANT pg_monitor"));
  EXPECT_THAT(Describe(IdleClient()), Not(HasSubstr("GRANT pg_monitor")));
}

TEST(LockStatement, NamesAllTablesAtOnce) {
  LockRequest request;
  request.tables = {{"public", "a"}, {"public", "Order Items"}};
  EXPECT_EQ(LockStatement(request),
            "LOCK TABLE public.a, public.\"Order Items\" IN ACCESS EXCLUSIVE MODE");
  request.mode = locks::LockMode::kShareRowExclusive;
  EXPECT_THAT(LockStatement(request), HasSubstr("IN SHARE ROW EXCLUSIVE MODE"));
}

TEST(LockStatement, TakesViewsBeforeTheTables) {
  LockRequest request;
  request.tables = {{"public", "a"}};
  request.views = {{"\"S\".\"It's\"", "\"S\""}, {"public.m", "public"}};
  const std::string statement = LockStatement(request);
  EXPECT_THAT(statement, ::testing::StartsWith("DO '"));
  EXPECT_THAT(statement, ::testing::ContainsRegex(
                             "\"It''s\" SET SCHEMA \"S\"; ALTER TABLE public.m SET "
                             "SCHEMA public; .*LOCK TABLE public.a IN ACCESS EXCLUSIVE MODE"));
}

struct Waits {
  int waiter;
  int blocker;
  bool granted;
};

std::vector<LockNode> TreesOf(const std::vector<Waits>& all) {
  std::vector<WaitEdge> edges;
  for (const Waits& waits : all) {
    WaitEdge edge;
    edge.waiter = edge.waiting_session.pid = waits.waiter;
    edge.blocker.session.pid = waits.blocker;
    edge.blocker.lock.granted = waits.granted;
    edges.push_back(edge);
  }
  return WaitTrees(edges);
}

// "1(2 3(4))": 2 and 3 wait for 1, 4 for 3.
std::string Drawn(const std::vector<LockNode>& nodes) {
  std::string text;
  for (const LockNode& node : nodes) {
    text += (text.empty() ? "" : " ") + std::to_string(node.session.pid);
    if (!node.waiters.empty()) text += "(" + Drawn(node.waiters) + ")";
  }
  return text;
}

TEST(WaitTrees, ShowEverySessionOnce) {
  EXPECT_EQ(Drawn(TreesOf({})), "");
  EXPECT_EQ(Drawn(TreesOf({{2, 1, true}, {3, 1, true}, {4, 3, true}})), "1(2 3(4))");
  EXPECT_EQ(Drawn(TreesOf({{2, 1, true}, {4, 3, true}})), "1(2) 3(4)");
}

TEST(WaitTrees, PutAWaiterUnderAHolderRatherThanUnderTheQueue) {
  const auto trees = TreesOf({{2, 1, true}, {3, 2, false}, {3, 1, true}});
  EXPECT_EQ(Drawn(trees), "1(2 3)");
  EXPECT_EQ(trees[0].waiters[1].blocked_by, (std::vector<int>{2, 1}));
}

TEST(WaitTrees, ShowACircleToo) {
  EXPECT_EQ(Drawn(TreesOf({{1, 2, true}, {2, 1, true}})), "1(2)");
  EXPECT_EQ(Drawn(TreesOf({{1, 2, true}, {2, 1, true}, {3, 1, true}, {5, 4, true}})),
            "4(5) 1(2 3)");
}

TEST(WaitTrees, KeepPreparedTransactionsApart) {
  std::vector<WaitEdge> edges(2);
  edges[0].waiter = edges[0].waiting_session.pid = 7;
  edges[0].blocker.session.prepared_gid = "a";
  edges[1].waiter = edges[1].waiting_session.pid = 8;
  edges[1].blocker.session.prepared_gid = "b";
  EXPECT_EQ(Drawn(WaitTrees(edges)), "0(7) 0(8)");
}

}  // namespace
}  // namespace pgalter::lock
